"""How a data set is indexed, as clients ask for it and as it is kept with the data set."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.knowledge.chunking import DEFAULT_OVERLAP, DEFAULT_SIZE


class IndexOptions(BaseModel):
    """What the indexer may vary; sizes in columns (a Latin letter is one, a Chinese character two)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    chunk_size: int = Field(default=DEFAULT_SIZE, ge=32, le=8192)
    """Width of a passage: 512 columns are about 85 English words or 256 Chinese characters."""
    overlap: int = Field(default=DEFAULT_OVERLAP, ge=0, le=4096)
    """Whole sentences up to this width stand in both of two neighbouring passages; at most half of chunk_size."""
    extract_entities: bool = True
    """Whether entities and relations are read out of the passages; without them there is no graph."""
    build_graph: bool = True
    """Whether a graph is built of them."""

    @model_validator(mode="after")
    def _overlap_leaves_room(self) -> Self:
        if self.overlap > self.chunk_size // 2:
            raise ValueError("overlap is more than half of chunk_size")
        return self
