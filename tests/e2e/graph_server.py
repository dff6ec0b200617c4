"""The page before a server that answers as the API does, from a made-up graph: for states real data seldom shows."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, StreamingResponse

from app.api.graph import EvidenceList, GraphOut, MentionsOut
from app.api.page import mount_page
from nodes.events import Citation, Delta, Done, GraphContext, PathStep, Reference, Refs, Start, Usage, as_fields
from tests.e2e.graph_stories import Story, harbour
from tests.server.processes import free_port

NOW = "2026-05-04T10:00:00Z"


class GraphServer:
    """A running server; what it says can be changed between requests."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: list[dict[str, Any]] = []
        self.reset()

    def reset(self) -> None:
        """The harbour again, all well."""
        self.story = harbour()
        self.others: dict[str, Story] = {}
        self.refusal: tuple[int, str] | None = None
        self.degraded = False
        self.version = 7
        self.status: dict[str, Any] = {}
        self.steps: list[PathStep] = []
        self.stages: list[tuple[str, float]] = []
        self.graph_polls = 0
        self.asked.clear()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def says_path(self, *hops: tuple[str, str, bool]) -> None:
        """The next answers rest on a passage that this path led to: pairs of names, and whether they read forwards."""
        self.steps = [self._step(first, second, forward) for first, second, forward in hops]

    def _step(self, first: str, second: str, forward: bool) -> PathStep:
        [said] = self.story.evidence(first.casefold(), second.casefold())
        fields = said.model_dump(include={"relation", "confidence", "sentence", "document_id", "start", "end"})
        return PathStep(entities=(first, second), forward=forward, **fields)

    def read_status(self, dataset_id: str) -> dict[str, Any]:
        """How far the data set is, with what `status` overrides."""
        story = self.others.get(dataset_id, self.story)
        counts = {"documents": len(story.documents), "queued": 0, "indexing": 0, "ready": len(story.documents)}
        graph = {
            "entities": len(story.nodes),
            "relations": sum(edge.confidence > 0 for edge in story.edges),
            "communities": len(story.communities),
        }
        found: dict[str, Any] = {
            "dataset_id": dataset_id,
            "status": "ready" if story.documents else "empty",
            "stage": "done",
            "progress": 1.0,
            "counts": {**counts, "failed": 0, "chunks": len(story.documents), **graph},
            "errors": [],
            "index_type": "hybrid",
            "options": {"build_graph": True},
            "notices": [],
        }
        if self.graph_polls and not self.stages:
            self.graph_polls -= 1
            found.update(status="indexing", stage="graph", progress=0.95)
        return {**found, **self.status}

    def read_documents(self, dataset_id: str) -> list[dict[str, Any]]:
        """The documents of a data set, as they are listed."""
        story = self.others.get(dataset_id, self.story)
        return [self._document(dataset_id, key, *found) for key, found in story.documents.items()]

    def _document(self, dataset_id: str, key: str, title: str, text: str) -> dict[str, Any]:
        done = {"status": "ready", "stage": "done", "progress": 1.0, "error": None, "metadata": {}, "chunks": 1}
        about = {"media_type": "text/plain", "size_bytes": len(text), "created_at": NOW, "indexed_at": NOW}
        return {"id": key, "dataset_id": dataset_id, "name": f"{title}.txt", "title": title, **about, **done}

    def uploaded(self) -> dict[str, Any]:
        """The document on its way in, one stage further at each look; then the graph takes `graph_polls` looks."""
        title, text = next(iter(self.story.documents.values()))
        stage, progress = self.stages.pop(0) if self.stages else ("done", 1.0)
        status = {"done": "ready", "queued": "queued"}.get(stage, "indexing")
        document = self._document("default", "new", title, text)
        return {**document, "name": "new.txt", "status": status, "stage": stage, "progress": progress}

    def read_graph(self, dataset_id: str, q: str, hops: int, limit: int) -> GraphOut:
        """A part of the graph."""
        story = self.others.get(dataset_id, self.story)
        nodes, edges, complete = story.around(q, hops, limit)
        return GraphOut(
            dataset_id=dataset_id,
            graph_version=self.version,
            nodes=nodes,
            edges=edges,
            communities=list(story.communities),
            complete=complete,
            degraded=self.degraded,
        )

    async def answer(self) -> AsyncIterator[str]:
        """The frames of a turn whose answer rests on the last document of the path."""
        start = Start(turn_id="t1", conversation_id="k1", coordinator="langgraph", variant="langgraph", reason="STATIC")
        reference = self._reference()
        words = "The engineer of Lowick harbour, Ada Merrow, was born in Tarn Bay [1]."
        citation = Citation(**reference.model_dump(), sentence=words)
        done = Done(finish_reason="stop", citations=[citation], usage=Usage(total_ms=41.0))
        for seq, event in enumerate([start, Refs(references=[reference]), Delta(content=words), done], 1):
            yield f"id: t1:{seq}\ndata: {json.dumps({'seq': seq, **as_fields(event)})}\n\n"

    def _reference(self) -> Reference:
        title, text = self.story.documents["d2"]
        start = text.index("Ada Merrow was")
        end = text.index(". She") + 1
        names = [name for step in self.steps for name in step.entities]
        context = GraphContext(
            entities=list(dict.fromkeys(names)),
            relations=[step.relation for step in self.steps],
            path=["->".join(dict.fromkeys(names))],
            path_steps=self.steps,
        )
        return Reference(
            id="1",
            title=title,
            document_id="d2",
            page=None,
            start=start,
            end=end,
            quote=text[start:end],
            score=0.9,
            graph_context=context if self.steps else None,
        )


def made(server: GraphServer) -> FastAPI:
    """The routes that the page asks."""
    app = FastAPI()
    mount_page(app)

    @app.get("/health/ready")
    async def ready() -> dict[str, Any]:
        return {"status": "ready", "parts": {}}

    @app.get("/api/v1/conversations")
    async def conversations() -> dict[str, Any]:
        return {"items": [], "next_cursor": None}

    @app.get("/api/v1/knowledge/datasets")
    async def datasets() -> dict[str, Any]:
        ids = ["default", *server.others] if server.story.documents or server.story.nodes else []
        return {"items": [{"id": one, "index_type": "hybrid"} for one in ids], "next_cursor": None}

    @app.get("/api/v1/knowledge/datasets/{dataset_id}/documents")
    async def documents(dataset_id: str) -> dict[str, Any]:
        return {"items": server.read_documents(dataset_id), "next_cursor": None}

    @app.get("/api/v1/knowledge/documents/{document_id}/text")
    async def text(document_id: str) -> Response:
        if document_id not in server.story.documents:
            return JSONResponse({"code": "not_found"}, 404)
        title, words = server.story.documents[document_id]
        return JSONResponse({"document_id": document_id, "title": title, "text": words, "pages": []})

    @app.post("/api/v1/knowledge/upload", status_code=202)
    async def upload() -> dict[str, Any]:
        return {"dataset_id": "default", "documents": [{"id": "new", "name": "new.txt", "status": "queued"}]}

    @app.get("/api/v1/knowledge/documents/{document_id}")
    async def document(document_id: str) -> dict[str, Any]:
        return server.uploaded()

    @app.get("/api/v1/knowledge/status/{dataset_id}")
    async def status(dataset_id: str) -> dict[str, Any]:
        return server.read_status(dataset_id)

    @app.post("/api/v1/knowledge/index", status_code=202)
    async def index(body: dict[str, Any]) -> dict[str, Any]:
        server.asked.append(body)
        return server.read_status(body["dataset_id"])

    @app.get("/api/v1/knowledge/graph/{dataset_id}", response_model=None)
    async def graph(dataset_id: str, q: str = "", hops: int = 1, limit: int = 300) -> Response:
        server.asked.append({"q": q, "hops": hops, "limit": limit})
        if server.refusal:
            return JSONResponse({"code": server.refusal[1]}, server.refusal[0])
        return Response(server.read_graph(dataset_id, q, hops, limit).model_dump_json(), media_type="application/json")

    @app.get("/api/v1/knowledge/graph/{dataset_id}/passages")
    async def passages(dataset_id: str, entity: str) -> MentionsOut:
        return MentionsOut(items=server.story.mentions(entity))

    @app.get("/api/v1/knowledge/graph/{dataset_id}/evidence")
    async def evidence(dataset_id: str, source: str, target: str) -> EvidenceList:
        return EvidenceList(items=server.story.evidence(source, target))

    @app.post("/api/v1/chat/stream", response_model=None)
    async def chat() -> Response:
        return StreamingResponse(server.answer(), media_type="text/event-stream")

    return app


@contextmanager
def running() -> Iterator[GraphServer]:
    """A server in a thread of its own, as long as the context lasts."""
    server = GraphServer()
    config = uvicorn.Config(made(server), port=server.port, log_level="warning", lifespan="off")
    uvicorn_server = uvicorn.Server(config)
    thread = threading.Thread(target=uvicorn_server.run, daemon=True)
    thread.start()
    while not uvicorn_server.started:
        thread.join(0.01)
        assert thread.is_alive()
    try:
        yield server
    finally:
        uvicorn_server.should_exit = True
        thread.join(10)
