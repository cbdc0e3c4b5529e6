"""Drawing beside the solver: in order, and no failure is lost."""

from __future__ import annotations

import threading

import pytest

from invrender.run.drawer import Drawer


def fail():
    raise ZeroDivisionError("a picture")


@pytest.mark.parametrize("aside", [True, False])
def test_pictures_are_drawn_in_their_order(aside):
    drawer, done, where = Drawer(aside), [], set()
    for k in range(20):
        drawer.do(lambda k=k: (done.append(k), where.add(threading.get_ident())))
    drawer.finish()
    assert done == list(range(20))
    assert (threading.get_ident() in where) is not aside


def test_what_a_picture_raises_comes_out_at_the_latest_in_the_end():
    drawer = Drawer(aside=True)
    wait = drawer.do(fail)
    with pytest.raises(ZeroDivisionError):
        wait()
    with pytest.raises(ZeroDivisionError):
        drawer.finish()
