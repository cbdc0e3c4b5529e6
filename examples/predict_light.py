"""Train a small network to tell from a picture where its lamp is: python examples/predict_light.py

Nobody tells the network where lamps are: its guess is rendered, and compared with the picture that it was shown.
"""

import torch

import invrender
from invrender.backends import select
from invrender.render import scenes
from invrender.render.scene_arrays import geometry
from invrender.render.scene_view import Shot
from invrender.samples import SAMPLES

torch.manual_seed(0)
torch.set_num_threads(1)
SIZE, BATCH, STEPS = 16, 6, 120
backend = select("auto")
corners = torch.tensor([[-4.0, -1, -4], [-4, -1, 4], [4, -1, 4], [4, -1, -4]])
meshes = [SAMPLES["sphere"](), invrender.Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]]))]
ready = geometry(meshes, backend.device)
pose = torch.eye(4, dtype=torch.float64)
pose[2, 3] = 5
camera = invrender.Camera(pose, fov=45)


def picture(lamp: torch.Tensor) -> torch.Tensor:
    """What a lamp at a place [3] shows, as logarithms [16,16,3]."""
    scene = invrender.Scene(meshes, [invrender.PointLight(lamp, 30.0)], background=(0, 0, 0))
    drawn = scenes.picture(scene, camera, (SIZE, SIZE), backend, Shot(shadows=False), geometry=ready)
    return (drawn + 0.05).log() + 1.5


def lamps(count: int) -> torch.Tensor:
    """Places [count,3] above and before the ball."""
    return torch.rand(count, 3) * torch.tensor([4.0, 2.0, 2.0]) + torch.tensor([-2.0, 1.0, 1.5])


hidden, last = torch.nn.Linear(3 * SIZE**2, 64), torch.nn.Linear(64, 3)
torch.nn.init.zeros_(last.weight)
torch.nn.init.zeros_(last.bias)
network = torch.nn.Sequential(torch.nn.Flatten(), hidden, torch.nn.ReLU(), last)
optimizer = torch.optim.Adam(network.parameters(), 5e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
centre = torch.tensor([0.0, 2.0, 2.5])
for _ in range(STEPS):
    shown = torch.stack([picture(lamp) for lamp in lamps(BATCH)])
    guesses = centre + network(shown)
    loss = (torch.stack([picture(guess) for guess in guesses]) - shown).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()

unseen = lamps(100)
with torch.no_grad():
    guesses = centre + network(torch.stack([picture(lamp) for lamp in unseen]))
print("off by", float((guesses - unseen).norm(dim=1).mean()), "of", float((centre - unseen).norm(dim=1).mean()))
