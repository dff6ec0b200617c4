"""A transformers classifier behind the same face as a graph, for measuring one against the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from tools.compression.runnable import Logits, Tokens, padded


class TorchRunnable:
    """fp32 on the CPU, one thread."""

    together = 32

    def __init__(self, network: Any, pad: int) -> None:
        torch.set_num_threads(1)
        self._network = network.eval()
        self._pad = pad

    def logits(self, batch: Tokens) -> Logits:
        """See `Runnable`."""
        ids, mask = padded(batch, self._pad)
        with torch.inference_mode():
            found = self._network(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
            return np.asarray(found.logits.float().numpy())
