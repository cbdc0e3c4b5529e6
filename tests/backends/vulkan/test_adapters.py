"""Which Vulkan adapter is taken: hardware first, or the one that is asked for; and what is said where none will do."""

from __future__ import annotations

import pytest

from invrender.backends.vulkan.adapters import Adapter, choose
from invrender.errors import BackendError, UsageError

SOFTWARE = Adapter("llvmpipe (LLVM 15)", software=True)
OLD = Adapter("GeForce GT 710", problem="its driver has no ray tracing")
GOOD = Adapter("Radeon RX 7600")
OTHER = Adapter("Arc A770")


def test_hardware_comes_before_software_and_what_does_not_work_is_passed_over():
    assert choose([SOFTWARE, OLD, GOOD, OTHER]) is GOOD
    assert choose([SOFTWARE, OLD]) is SOFTWARE


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("3", OTHER), ("vulkan:2", GOOD), ("cpu", SOFTWARE), ("gpu", GOOD), ("radeon", GOOD), ("ARC", OTHER)],
)
def test_one_is_asked_for_by_number_kind_or_name(wanted, found):
    assert choose([SOFTWARE, OLD, GOOD, OTHER], wanted) is found


def test_an_unknown_one_is_refused_with_the_list():
    with pytest.raises(UsageError, match="'7'") as caught:
        choose([SOFTWARE, GOOD], "7")
    assert "0: llvmpipe (LLVM 15), 1: Radeon RX 7600" in caught.value.remedy


def test_none_at_all_and_none_that_works_name_the_remedy():
    with pytest.raises(BackendError, match="no Vulkan driver") as caught:
        choose([])
    assert "--backend auto" in caught.value.remedy
    with pytest.raises(BackendError, match="GeForce GT 710: its driver has no ray tracing"):
        choose([OLD])
    with pytest.raises(BackendError, match="no ray tracing"):
        choose([OLD, GOOD], "geforce")
