"""Graphs made up for the page: a small one whose sentences stand in its documents, and one of any size."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.api.graph import CommunityOut, Edge, EvidenceOut, MentionOut, Node

HARBOUR = """Lowick Harbour Handbook

Lowick harbour was built between 1874 and 1879 by the engineer Ada Merrow. Its north pier is 412 metres long and \
carries the Gull Rock light. The herring fleet used Lowick harbour until 1931. Silting caused the fleet's move to \
Tarn Bay. The pilot boat Sea Wren belongs to the Lowick Harbour Trust. Dredging prevents silting. The Harbour Festival \
takes place in Lowick each June.
"""
MERROW = """The life of Ada Merrow 🌊

Ada Merrow was born in Tarn Bay in 1841. She founded Merrow & Daughters, which built piers and lighthouses. Ada \
Merrow wrote On Tidal Works, a treatise on breakwaters. Merrow & Daughters employed Tom Arkle. Tom Arkle designed the \
Gull Rock light. Hydraulic lime enables building under water. Tidal range is measured at the north pier.
"""
TARN = """Tarn Bay

Tarn Bay lies in the county of Norlund. The fish market of Tarn Bay was opened in 1932. The Norlund Railway reaches \
Tarn Bay since 1888. The herring fleet counts 214 boats at its height.
"""
DOCUMENTS = {
    "d1": ("Lowick Harbour Handbook", HARBOUR),
    "d2": ("The life of Ada Merrow", MERROW),
    "d3": ("Tarn Bay", TARN),
}
TYPES = {
    "Lowick harbour": "location",
    "Ada Merrow": "person",
    "north pier": "product",
    "Gull Rock light": "product",
    "herring fleet": "organization",
    "Silting": "process",
    "Tarn Bay": "location",
    "Sea Wren": "product",
    "Lowick Harbour Trust": "organization",
    "Dredging": "process",
    "Harbour Festival": "event",
    "Lowick": "location",
    "1841": "time",
    "1931": "time",
    "1888": "time",
    "Merrow & Daughters": "organization",
    "On Tidal Works": "work",
    "breakwaters": "concept",
    "Tom Arkle": "person",
    "Hydraulic lime": "concept",
    "Tidal range": "metric",
    "Norlund": "location",
    "fish market": "location",
    "Norlund Railway": "organization",
    "214 boats": "metric",
}
CIRCLE = ("Ada Merrow", "1841", "Merrow & Daughters", "On Tidal Works", "breakwaters", "Tom Arkle", "Hydraulic lime")
RELATIONS = [
    ("Lowick harbour", "created_by", "Ada Merrow", 0.94),
    ("Lowick harbour", "contains", "north pier", 0.81),
    ("north pier", "contains", "Gull Rock light", 0.66),
    ("herring fleet", "uses", "Lowick harbour", 0.72),
    ("Silting", "causes", "Tarn Bay", 0.41),
    ("Sea Wren", "part_of", "Lowick Harbour Trust", 0.7),
    ("Dredging", "prevents", "Silting", 0.88),
    ("Harbour Festival", "located_in", "Lowick", 0.79),
    ("Ada Merrow", "located_in", "Tarn Bay", 0.83),
    ("Ada Merrow", "related_to", "1841", 0.35),
    ("Merrow & Daughters", "created_by", "Ada Merrow", 0.9),
    ("On Tidal Works", "created_by", "Ada Merrow", 0.92),
    ("On Tidal Works", "related_to", "breakwaters", 0.55),
    ("Tom Arkle", "works_for", "Merrow & Daughters", 0.86),
    ("Gull Rock light", "created_by", "Tom Arkle", 0.91),
    ("Tidal range", "related_to", "north pier", 0.5),
    ("Tarn Bay", "located_in", "Norlund", 0.95),
    ("fish market", "located_in", "Tarn Bay", 0.77),
    ("Norlund Railway", "related_to", "Tarn Bay", 0.6),
    ("Norlund Railway", "related_to", "1888", 0.3),
    ("herring fleet", "related_to", "1931", 0.0),
    ("herring fleet", "related_to", "214 boats", 0.52),
    ("Lowick harbour", "located_in", "Lowick", 0.0),
    ("Hydraulic lime", "related_to", "breakwaters", 0.0),
]


@dataclass
class Story:
    """A graph, and the documents (title and text by id) that it rests on."""

    nodes: Sequence[Node] = ()
    edges: Sequence[Edge] = ()
    communities: Sequence[CommunityOut] = ()
    documents: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])

    def around(self, q: str, hops: int, limit: int) -> tuple[list[Node], list[Edge], bool]:
        """Nodes, edges and whether that is all: within `hops` of what is called `q`, or the most mentioned."""
        asked = q.casefold()
        named = {node.id for node in self.nodes if asked == node.name.casefold()}
        seen = named or {node.id for node in self.nodes if asked in node.name.casefold()}
        for _ in range(hops if q else 0):
            seen = seen | {end for edge in self.edges for end in _ends(edge) if _ends(edge) & seen}
        reached = [node for node in self.nodes if node.id in seen]
        chosen = sorted(reached, key=lambda node: (node.id not in named, -node.mentions))
        kept = {node.id for node in chosen[:limit]}
        edges = [edge for edge in self.edges if edge.source in kept and edge.target in kept]
        return chosen[:limit], edges, len(chosen) <= limit

    def mentions(self, entity: str) -> list[MentionOut]:
        """A passage for each document that names the entity."""
        name = next((node.name for node in self.nodes if node.id == entity), entity)
        found: list[MentionOut] = []
        for document_id, (title, text) in self.documents.items():
            at = text.casefold().find(name.casefold())
            if at < 0:
                continue
            start, end = text.index("\n\n") + 2, len(text.rstrip())
            place = {"document_id": document_id, "title": title, "page": None, "start": start, "end": end}
            at = text.casefold().find(name.casefold(), start)
            if at >= 0:
                passage = {**place, "text": text[start:end], "mention_start": at, "mention_end": at + len(name)}
                found.append(MentionOut.model_validate(passage))
        return found

    def evidence(self, first: str, second: str) -> list[EvidenceOut]:
        """The sentence of each relation between two entities."""
        about = [edge for edge in self.edges if _ends(edge) == {first, second}]
        return [said for edge in about if (said := self._said(edge))]

    def _said(self, edge: Edge) -> EvidenceOut | None:
        names = {node.id: node.name for node in self.nodes}
        for document_id, (title, text) in self.documents.items():
            for sentence in _sentences(text):
                if all(names[end].casefold() in sentence.casefold() for end in (edge.source, edge.target)):
                    start = text.index(sentence)
                    place = {"document_id": document_id, "title": title, "page": None, "extractor": "patterns"}
                    offsets = {"sentence": sentence, "start": start, "end": start + len(sentence)}
                    return EvidenceOut.model_validate({**edge.model_dump(), **place, **offsets})
        return None


def harbour() -> Story:
    """Three documents about a harbour, its engineer and the town she came from."""
    texts = " ".join(text for _, text in DOCUMENTS.values()).casefold()
    groups = _groups(list(TYPES), RELATIONS)
    nodes = [
        _node(name, kind, texts.count(name.casefold()), groups[name], ("the engineer",) if name == "Ada Merrow" else ())
        for name, kind in TYPES.items()
    ]
    edges = [_edge(a.casefold(), relation, b.casefold(), sure, 1 + (sure > 0.9)) for a, relation, b, sure in RELATIONS]
    summaries = {"c0": "Lowick harbour and what was built there.", "c1": "Tarn Bay and the county around it."}
    sizes = {group: list(groups.values()).count(group) for group in set(groups.values())}
    communities = [
        CommunityOut(id=group, level=0, parent=None, size=sizes[group], summary=summaries.get(group, ""))
        for group in sorted(sizes)
    ]
    return Story(nodes, edges, communities, DOCUMENTS)


def crowd(size: int, edges: int, groups: int = 40, seed: int = 5) -> Story:
    """`size` entities in `groups` communities of uneven size, most relations within one."""
    dice = random.Random(seed)
    home = [min(groups - 1, int(dice.expovariate(1 / (groups / 4)))) for _ in range(size)]
    members = [[i for i in range(size) if home[i] == group] or [0] for group in range(groups)]
    kinds = [*sorted(set(TYPES.values())), ""]
    words = ["Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Gale", "Heath", "Isle", "Juniper", "龙井", "西湖"]
    mentions = [1 + int(dice.paretovariate(1.3)) for _ in range(size)]
    nodes = [
        Node(
            id=f"e{i}",
            name=f"{dice.choice(words)} {dice.choice(words)} {i}",
            type=(kind := dice.choice(kinds)),
            label=kind,
            confidence=dice.random(),
            mentions=min(400, mentions[i]),
            aliases=[],
            community=f"g{home[i]}",
        )
        for i in range(size)
    ]
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < edges:
        a = dice.randrange(size)
        near = members[home[a]]
        b = near[int(len(near) * dice.random() ** 2)] if dice.random() < 0.88 else dice.randrange(size)
        if a != b:
            pairs.add((min(a, b), max(a, b)))
    sure = [round(dice.random() * (dice.random() < 0.4), 3) for _ in pairs]
    drawn = [_edge(f"e{a}", "related_to", f"e{b}", it, 1) for (a, b), it in zip(sorted(pairs), sure, strict=True)]
    communities = [
        CommunityOut(id=f"g{group}", level=0, parent=None, size=len(members[group]), summary="")
        for group in range(groups)
    ]
    return Story(nodes, drawn, communities)


def _node(name: str, kind: str, mentions: int, community: str, aliases: Sequence[str] = ()) -> Node:
    return Node(
        id=name.casefold(),
        name=name,
        type=kind,
        label=kind,
        confidence=0.9,
        mentions=mentions,
        aliases=aliases,
        community=community,
    )


def _edge(source: str, relation: str, target: str, confidence: float, evidence: int) -> Edge:
    label = relation.replace("_", " ")
    return Edge(source=source, target=target, relation=relation, label=label, confidence=confidence, evidence=evidence)


def _ends(edge: Edge) -> set[str]:
    return {edge.source, edge.target}


def _groups(names: Sequence[str], relations: Sequence[tuple[str, str, str, float]]) -> dict[str, str]:
    """Tarn Bay and what stands beside it is one community, the engineer's circle another, the rest the harbour's."""
    groups = dict.fromkeys(names, "c0")
    for a, _, b, _ in relations:
        for one, other in ((a, b), (b, a)):
            if other == "Tarn Bay" and one != "Ada Merrow":
                groups[one] = groups["Tarn Bay"] = "c1"
    groups.update(dict.fromkeys(CIRCLE, "c2"))
    return groups


def _sentences(text: str) -> list[str]:
    return [part.strip() + "." for part in text.split("\n\n", 1)[1].replace("\n", " ").rstrip(". ").split(". ")]
