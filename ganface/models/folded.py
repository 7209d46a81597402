"""A trained G as plain tensors, each BatchNorm folded into a scale and a shift.

The page and the ONNX file are made from them.

first                   [z_dim, C, 4, 4]         z -> [C, 4, 4]
conv.I                  [inputs, outputs, k, k]  from I = 1 on, transposed convolutions, k = 4, or
                                                 3, of pixels that are made 2 × 2 before
norm.I.scale, .shift    [C]                      BatchNorm after conv.I (norm.0: after first), as
                                                 it is in eval mode; none after the last
norm.I.hidden.weight, .bias, .modulation.weight, .bias
                                                 of a self-modulated one: two linear layers with a
                                                 ReLU between turn z (and labels) into by and add
                                                 [C] each: x · scale + shift becomes
                                                 (x · scale + shift) · (1 + by) + add
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, linear, relu

from ganface.errors import UserError
from ganface.models.dcgan import DcganNetwork, Generator, SelfModulatedBatchNorm
from ganface.models.layers import LatentProjection, UpConv, box_spread


def fold(G: DcganNetwork, halves: bool = False) -> dict[str, Tensor]:
    """The tensors of G, named as above: float32, on the CPU.

    halves: the large ones (first, conv.I) are float16, which moves no pixel of a trained G's faces
    by more than one grey level.

    Raises UserError for what does not draw in one step.
    """
    if not isinstance(G, Generator):
        raise UserError(
            "a model of --method energy draws by climbing its D, step by step; pages and ONNX "
            "files take one that draws at once, such as of --method gan"
        )
    folded: dict[str, Tensor] = {}
    convolutions, norms = 0, 0
    for layer in G.layers:
        if isinstance(layer, LatentProjection):
            folded["first"] = layer.weight
        elif isinstance(layer, UpConv):
            convolutions += 1
            folded[f"conv.{convolutions}"] = layer.weight
        elif isinstance(layer, (nn.BatchNorm2d, SelfModulatedBatchNorm)):
            name = f"norm.{norms}"
            norms += 1
            norm = layer.norm if isinstance(layer, SelfModulatedBatchNorm) else layer
            assert norm.running_mean is not None
            assert norm.running_var is not None
            scale = (norm.running_var.double() + norm.eps).rsqrt()
            if norm.affine:
                scale = scale * norm.weight
            shift = -norm.running_mean * scale + (norm.bias if norm.affine else 0)
            folded |= {f"{name}.scale": scale, f"{name}.shift": shift}
            if isinstance(layer, SelfModulatedBatchNorm):
                parts = layer.scale, layer.shift
                folded |= {
                    f"{name}.hidden.weight": layer.hidden.weight,
                    f"{name}.hidden.bias": layer.hidden.bias,
                    f"{name}.modulation.weight": torch.cat([part.weight for part in parts]),
                    f"{name}.modulation.bias": torch.cat([part.bias for part in parts]),
                }
    large = ("first", "conv.") if halves else ()
    return {
        name: tensor.detach().cpu().to(torch.half if name.startswith(large) else torch.float)
        for name, tensor in folded.items()
    }


class FoldedGenerator(nn.Module):
    """z [B, z_dim] and, of a G that knows some, labels [B, label_values] -> uint8 images
    [B, 3, S, S], as `to_uint8` rounds them. Of plain operations alone, which every format has.

    Its tensors may be float16: it computes in float32."""

    def __init__(self, folded: dict[str, Tensor]) -> None:
        super().__init__()
        for name, tensor in folded.items():
            if name.startswith("conv.") and tensor.shape[-1] == 3:
                spread = tensor.float().flatten(2) @ box_spread().T
                tensor = spread.unflatten(2, (4, 4)).to(tensor.dtype)
            self.register_buffer(name.replace(".", "_"), tensor)
        self.convolutions = sum(name.startswith("conv.") for name in folded)
        self.modulated = "norm.0.hidden.weight" in folded

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        latents = z if labels is None else torch.cat([z, labels], 1)
        x = (z @ self.get("first").flatten(1)).unflatten(1, (-1, 4, 4))
        for i in range(self.convolutions):
            x = relu(self.normalise(x, i, latents))
            x = conv_transpose2d(x, self.get(f"conv_{i + 1}"), stride=2, padding=1)
        return (x.tanh() + 1).mul(127.5).round().clamp(0, 255).to(torch.uint8)

    def normalise(self, x: Tensor, i: int, latents: Tensor) -> Tensor:
        scale, shift = self.get(f"norm_{i}_scale"), self.get(f"norm_{i}_shift")
        if self.modulated:
            names = [f"norm_{i}_{part}" for part in ("hidden", "modulation")]
            (w1, b1), (w2, b2) = [(self.get(f"{n}_weight"), self.get(f"{n}_bias")) for n in names]
            by, add = linear(relu(linear(latents, w1, b1)), w2, b2).chunk(2, 1)
            scale, shift = scale * (1 + by), shift * (1 + by) + add
        return x * scale[..., None, None] + shift[..., None, None]

    def get(self, name: str) -> Tensor:
        return self.get_buffer(name).float()
