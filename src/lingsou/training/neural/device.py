"""Where and in which precision a training runs."""

import os
from dataclasses import dataclass
from typing import Literal

import torch
from transformers import PreTrainedModel

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.processes import ALONE, Processes, join, launched

Precision = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class Device:
    """A device, and the type of its matrix products; none: float32."""

    device: torch.device
    precision: torch.dtype | None
    processes: Processes = ALONE

    def prepare(self, model: PreTrainedModel) -> None:
        """Choose the attention that is fastest here.

        On a CPU the fused attention has no fast backward in bfloat16 (half of a step's time was in it), plain
        attention does.
        """
        plain = self.device.type == "cpu" and self.precision is not None
        model.set_attn_implementation("eager" if plain else "sdpa")


def choose(precision: Precision, threads: int = 0) -> Device:
    """CUDA, else MPS, else the CPU with `threads` threads (0: every core this process may use, or its share of them).

    Where several processes were launched, each gets a device of its own.

    Raises:
        ConfigurationError: the device does not have the precision that was asked for.
    """
    name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    processes, device = join() if launched() else (ALONE, torch.device(name))
    if device.type == "cpu":
        torch.set_num_threads(threads or max(_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")), 1))
    has_bf16 = _has_bf16(device)
    if precision == "bf16" and not has_bf16:
        raise ConfigurationError(
            f"The device '{device}' has no fast bfloat16.", field="train.precision", cure='precision = "auto"'
        )
    if precision == "fp16" and device.type != "cuda":
        raise ConfigurationError(
            f"float16 trains on CUDA alone, and this is '{device}'.", field="train.precision", cure='precision = "auto"'
        )
    if precision == "fp16":
        return Device(device, torch.float16, processes)
    return Device(device, torch.bfloat16 if has_bf16 and precision != "fp32" else None, processes)


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # Without dot products of their own, bfloat16 matrices are no faster than float32's. With AVX-512 BF16 alone a LoRA
    # step took 0.83 s against 1.37 on one core; with tiles (AMX) the ratio is larger.
    return device.type == "cpu" and (torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
