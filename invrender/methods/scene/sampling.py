"""The phases that draw from the posterior: Metropolis-Hastings around the optimum, then populations if it has to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from invrender.methods.scene.certainty import Certainty
from invrender.methods.scene.misfit import Misfit
from invrender.methods.scene.posterior import METROPOLIS, TEMPERED, Sampled, ScenePosterior, sampled
from invrender.methods.scene.settings import SceneSettings
from invrender.solve.laplace import laplace
from invrender.solve.metropolis import IndependenceMetropolis, MetropolisState
from invrender.solve.phase import Finished, Phase, Start
from invrender.solve.protocol import Params, Solver, Terms
from invrender.solve.tempered import TemperedMonteCarlo, TemperedState
from invrender.solve.trust import distrust

Tensor = torch.Tensor

CHAINS, BATCH = 4, 25
MOST_STAGES = 200
STEADY = 1e-3  # of the targets' root mean square: pictures that fit better are taken to err by that
DRAWS, DENSITY = "draws", "density"
DRAWN, POPULATIONS = "chains", "populations"  # names of the phases
ADVICE = "tell how the pixels err with --noise, and free fewer values"


@dataclass(frozen=True)
class Sampling:
    """The last phases of a run with a posterior.

    Attributes:
        misfit: of the pictures, without a prior.
        found: the free numbers where it is least.
        certain: how certain they are.
        settings: of the run.
    """

    misfit: Misfit
    found: Params
    certain: Certainty
    settings: SceneSettings

    @property
    def posterior(self) -> ScenePosterior:
        """What is drawn from."""
        sigma = max(self.certain.laplace.sigma, STEADY / self.misfit.level.count**0.5)
        return ScenePosterior(self.misfit, sigma, self.settings.prior)

    def following(self, finished: Sequence[Finished]) -> Phase | None:
        """The next of the phases after those of the solver."""
        drawn = next((each for each in finished if each.name == DRAWN), None)
        if drawn is None:
            return self._chains()
        if drawn.measures["trusted"] or finished[-1].name == POPULATIONS:
            return None
        return self._populations()

    def _chains(self) -> Phase:
        posterior, values = self.posterior, self.misfit.values
        residual, columns = self.misfit.linearised(self.found)
        names = tuple(values.free_names())
        around = laplace(names, values.joined(self.found), residual, columns, posterior.sigma, posterior.precision)
        optimum = posterior.log_density(self.found)

        def measures(params: Params, state: MetropolisState) -> Terms:
            del params
            return {"trusted": float(not distrust(state, optimum, names)), "accepted": state.acceptance}

        solver = IndependenceMetropolis(around.mean, around.covariance, chains=CHAINS, batch=BATCH)
        steps = -(-self.settings.draws // BATCH)
        return self._phase(DRAWN, steps, posterior, solver, measures)

    def _populations(self) -> Phase:
        def measures(params: Params, state: TemperedState) -> Terms:
            del params
            return {"evaluations": float(state.evaluations)}

        return self._phase(POPULATIONS, MOST_STAGES, self.posterior, TemperedMonteCarlo(length=14, keep=0.35), measures)

    def _phase(
        self, name: str, steps: int, posterior: ScenePosterior, solver: Solver[Any, Any], measures: Any
    ) -> Phase:
        return Phase(
            name=name,
            title=f"posterior: {name}",
            steps=steps,
            start=lambda: Start(self.found),
            objective=posterior,
            solver=solver,
            decode=lambda params: params,
            result=lambda params, state: {DRAWS: state.draws, DENSITY: state.density},
            measures=measures,
            total=steps,
            keeps=3,
            seed=self.settings.seed,
            recorded=False,
            advice=ADVICE,
        )

    def result(self, finished: Sequence[Finished]) -> Sampled:
        """The draws of the last phase."""
        last = finished[-1]
        method = TEMPERED if last.name == POPULATIONS else METROPOLIS
        chains = next(each for each in finished if each.name == DRAWN)
        accepted = f"{100 * chains.measures['accepted']:.0f} % of the proposals were accepted"
        why = "" if method == METROPOLIS else f"draws around the optimum could not be trusted ({accepted})"
        sigma = self.posterior.sigma * self.misfit.level.unit
        return sampled(self.misfit.values, last.result[DRAWS], last.result[DENSITY], method, why, sigma)
