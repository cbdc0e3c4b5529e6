"""Draw one triangle by the vulkan backend and print what came of it: as it is, after a fork, refused, or by `auto`."""

import json
import logging
import os
import sys

import torch

from invrender.backends import select
from invrender.backends.devices import CPU
from invrender.backends.torch import load as load_torch
from invrender.backends.vulkan.backend import kernels_on, usable
from invrender.backends.vulkan.device import opened
from invrender.errors import InvrenderError

logging.basicConfig(level=logging.WARNING)
CLIP = torch.tensor([[[-0.49, -0.54, 0, 1], [0.48, -0.54, 0, 1], [-0.49, 0.49, 0, 1]]])
FACES = torch.tensor([[0, 1, 2]])


def covered(backend):
    return int((backend.rasterize(CLIP, FACES, (16, 16))[0] == 0).sum())


def refusal(act):
    try:
        act()
    except InvrenderError as error:
        return {"cause": error.cause, "remedy": error.remedy}
    return {}


def forked():
    backend = select("vulkan", needs=("meshes",))
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, json.dumps(refusal(lambda: covered(backend))).encode())
        os._exit(0)
    os.wait()
    return json.loads(os.read(read, 4096))


def drawn(backend):
    return {"name": backend.name, "description": backend.description, "covered": covered(backend)}


how = sys.argv[1] if len(sys.argv) > 1 else ""
if how == "fork":
    print(json.dumps(forked()))
elif how == "refused":
    print(json.dumps(refusal(lambda: select("vulkan"))))
elif how == "auto":
    print(json.dumps(drawn(select("auto", needs=("meshes",)))))
else:
    print(json.dumps(drawn(kernels_on(opened(usable()), load_torch(CPU)))))
