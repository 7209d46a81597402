import subprocess
import sys

import torch
from torch import nn
from torch.optim import Adam

from ganface.system.adam import LightAdam

UPDATE = """
import sys
from torch import nn
from ganface.system.adam import LightAdam
network = nn.Linear(3, 2)
adam = LightAdam(network.parameters(), fused=True)
adam.zero_grad()
network.weight.sum().backward()
adam.step()
adam.load_state_dict(adam.state_dict())
sys.exit("torch._dynamo" in sys.modules)
"""


def test_an_update_does_not_load_the_compiler():
    assert subprocess.run([sys.executable, "-c", UPDATE], check=False).returncode == 0


def test_its_steps_are_those_of_adam():
    def train(kind):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1))
        adam = kind(network.parameters(), torch.tensor(0.01), (0.5, 0.9), fused=True)
        for _ in range(5):
            adam.zero_grad()
            network(torch.randn(3, 5)).sum().backward()
            adam.step()
        assert all(p.requires_grad for p in network.parameters())
        return adam.state_dict(), network.state_dict()

    (state, weights), (expected_state, expected) = train(LightAdam), train(Adam)
    torch.testing.assert_close(weights, expected, rtol=0, atol=0)
    torch.testing.assert_close(state["state"], expected_state["state"], rtol=0, atol=0)
    assert state["param_groups"] == expected_state["param_groups"]
