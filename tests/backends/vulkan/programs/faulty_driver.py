"""Stands in for the worker of the Vulkan probe: one adapter for each argument, which says how its driver behaves."""

import json
import os
import signal
import sys
import time


def say(what, value):
    print("a driver prints, too")
    print(json.dumps({what: value}), flush=True)


def adapter(how):
    features = ["ray_tracing", "acceleration_structure"]
    return {"name": how, "luid": list(how.encode()), "software": True, "features": features, "problem": ""}


kinds = [how for how in sys.argv[1:] if how[0].isalpha()]
skip = [how for how in sys.argv[1:] if not how[0].isalpha()]
if "abort-at-once" in kinds:
    os.kill(os.getpid(), signal.SIGABRT)
for how in kinds:
    say("found", adapter(how))
for how in kinds:
    key = "-".join(map(str, how.encode()))
    if key in skip:
        continue
    say("trying", key)
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "hang":
        time.sleep(600)
    if how == "raise":
        raise RuntimeError("VK_ERROR_DEVICE_LOST")
    say("done", adapter(how))
