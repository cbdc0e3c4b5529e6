"""Where is the ball, and how dense? From one picture: python examples/field_gradient.py

The ball is a function of place; gradients of the picture reach the numbers in it.
"""

import torch

import invrender
from invrender.backends import select
from invrender.cameras.around import around
from invrender.nouns.medium import on_grid

BOX = torch.tensor([[-1.0, -1, -1], [1, 1, 1]])
backend = select("auto", needs=("volumes",))


def light(numbers: torch.Tensor) -> torch.Tensor:
    """The light behind a soft ball: its place (x, y) and the logarithm of its density."""

    def ball(points: torch.Tensor) -> torch.Tensor:
        return numbers[2].exp() * torch.exp(-6 * ((points[:, :2] - numbers[:2]).square().sum(1) + points[:, 2] ** 2))

    volume = on_grid(ball, BOX, (16, 16, 16))
    return invrender.render(volume, around(volume, size=24), "transmittance", backend=backend)


truth = torch.tensor([0.3, -0.2, 1.0])
seen, guess = light(truth), torch.tensor([-0.2, 0.2, 0.0], requires_grad=True)
optimizer = torch.optim.Adam([guess], 0.05)
for _ in range(80):
    optimizer.zero_grad()
    (light(guess) - seen).square().mean().backward()
    optimizer.step()
print("off by", (guess - truth).abs().max().item())
