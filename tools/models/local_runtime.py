"""A transformers model on this machine, as a blocking call. Importing this imports torch: do it late, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria, StoppingCriteriaList, TextStreamer

from tools.errors import UpstreamRejected


@dataclass(frozen=True, slots=True)
class Generation:
    """How a generation ended, and its tokens."""

    prompt_tokens: int
    completion_tokens: int
    finish_reason: Literal["stop", "length"]


class LocalRuntime:
    """Tokenizer and weights of one folder; for one thread at a time."""

    def __init__(self, folder: Path, threads: int) -> None:
        """Load the folder (seconds to minutes). Only safetensors are read, and no code of the folder is run."""
        torch.set_num_threads(threads)
        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, **local)
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", use_safetensors=True, **local)
        self._model = model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        self._limit = int(getattr(model.config, "max_position_embeddings", 0) or 2**31)

    def generate(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        max_tokens: int,
        temperature: float | None,
        say: Callable[[str], None],
        stopped: threading.Event,
    ) -> Generation:
        """Answer `messages`, giving each piece of text to `say`, until the end or until `stopped` is set.

        Raises:
            UpstreamRejected: the prompt leaves no room for an answer.
        """
        prompt = self._encode(messages).to(self._model.device)
        length = int(prompt.shape[1])
        room = min(max_tokens, self._limit - length)
        if room < 1:
            raise UpstreamRejected("The conversation is too long for the model.")
        with torch.inference_mode():
            tokens = self._model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=room,
                streamer=_Speaker(self._tokenizer, say),
                stopping_criteria=StoppingCriteriaList([_Until(stopped)]),
                **_sampling(temperature),
            )
        answered = int(tokens.shape[1]) - length
        return Generation(length, answered, "length" if answered >= room and not self._is_end(tokens) else "stop")

    def _encode(self, messages: Sequence[Mapping[str, str]]) -> torch.Tensor:
        safe = [{"role": m["role"], "content": self._defused(m["content"])} for m in messages]
        if self._tokenizer.chat_template:
            # `enable_thinking` is read by the templates that know it: an answer is to begin at once.
            options = {"add_generation_prompt": True, "return_tensors": "pt", "return_dict": True}
            return self._tokenizer.apply_chat_template(safe, enable_thinking=False, **options)["input_ids"]
        spoken = "\n\n".join(f"{m['role'].capitalize()}: {m['content']}" for m in safe)
        return self._tokenizer(f"{spoken}\n\nAssistant:", return_tensors="pt")["input_ids"]

    def _defused(self, text: str) -> str:
        """`text` in which the tokens that divide messages are words like any others."""
        for token in self._tokenizer.all_special_tokens:
            if len(token) > 1:
                text = text.replace(token, f"{token[0]} {token[1:]}")
        return text

    def _is_end(self, tokens: torch.Tensor) -> bool:
        ends = self._model.generation_config.eos_token_id
        return int(tokens[0, -1]) in (ends if isinstance(ends, list) else [ends])


class _Speaker(TextStreamer):
    """Hands on whole words as they are decoded."""

    def __init__(self, tokenizer: Any, say: Callable[[str], None]) -> None:
        super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
        self._say = say

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        if text:
            self._say(text)


class _Until(StoppingCriteria):
    """Stops before the next token once the event is set."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> Any:
        return torch.full((input_ids.shape[0],), self._stopped.is_set(), device=input_ids.device)


def _sampling(temperature: float | None) -> dict[str, Any]:
    """None leaves it to the model's own settings; 0 is the likeliest token each time."""
    if temperature is None:
        return {}
    if temperature == 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {"do_sample": True, "temperature": temperature}
