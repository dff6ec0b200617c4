"""A client of the knowledge routes, with the door before them and real stores behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI

from app import errors
from app.api import graph, knowledge
from app.auth import Authenticator
from app.limits import Door
from tests.tools.knowledge.workshop import Workshop, workshop
from tools.knowledge.graph.view import GraphView
from tools.knowledge.settings import KnowledgeSettings

BASE = "/api/v1/knowledge"
MAX_FILE_BYTES = 300_000
BOUNDARY = "frontier"


@dataclass(frozen=True)
class Client:
    """A client of an app that has nothing but these routes and the door before them."""

    http: httpx.AsyncClient
    shop: Workshop
    api: FastAPI

    async def upload(self, *files: tuple[str, bytes], **fields: str) -> httpx.Response:
        return await self.http.post(f"{BASE}/upload", files=[("file", file) for file in files], data=fields)

    async def indexed(self, *files: tuple[str, bytes], **fields: str) -> list[str]:
        """Upload, wait until indexed; gives the documents' ids."""
        answer = await self.upload(*files, **fields)
        assert answer.status_code == 202, answer.text
        await asyncio.wait_for(self.shop.ingestor.idle(), 60)
        return [document["id"] for document in answer.json()["documents"]]

    async def get(self, path: str, status: int = 200) -> Any:
        answer = await self.http.get(BASE + path)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def send(self, body: bytes | AsyncIterator[bytes], boundary: str = BOUNDARY) -> httpx.Response:
        """Upload a multipart body as it is."""
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        return await self.http.post(f"{BASE}/upload", content=body, headers=headers)

    def as_tenant(self, tenant_id: str) -> None:
        """Ask as another tenant from here on."""
        self.api.state.tenant = tenant_id


class ByState(Authenticator):
    """Everybody is the local principal, of the tenant that the test says."""

    def __init__(self, api: FastAPI) -> None:
        super().__init__(None, None, None)
        self._api = api

    def principal(self, authorization: str | None, tenant: str | None) -> Any:
        return replace(super().principal(authorization, tenant), tenant_id=self._api.state.tenant)


@asynccontextmanager
async def client(folder: Path, *, start: bool = True) -> AsyncIterator[Client]:
    async with workshop(folder, max_file_bytes=MAX_FILE_BYTES, start=start) as shop:
        api = FastAPI()
        api.include_router(knowledge.router)
        api.include_router(graph.router)
        errors.install(api)
        settings = KnowledgeSettings(knowledge_max_file_bytes=MAX_FILE_BYTES, knowledge_max_files=20)
        api.state.app = SimpleNamespace(
            documents=shop.documents,
            ingestor=shop.ingestor,
            settings=settings,
            graphs=shop.graphs,
            outbox=shop.outbox,
            followers=shop.followers,
            graph_view=GraphView(shop.graphs, shop.outbox, shop.reader),
        )
        api.state.tenant = "t"
        api.add_middleware(Door, authenticator=ByState(api), max_body_bytes=2**20, max_upload_bytes=MAX_FILE_BYTES * 20)
        transport = httpx.ASGITransport(api, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            yield Client(http, shop, api)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    return body


def part(data: bytes, disposition: str = 'form-data; name="file"; filename="a.txt"') -> bytes:
    return f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + data + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
