"""As much of the Hugging Face hub's interface as its client needs to push a small model and to fetch it again."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SHA = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """Repositories in memory: `files[repository][name]`."""

    files: dict[str, dict[str, bytes]] = {}

    def log_message(self, format: str, *args: object) -> None:
        return

    def answer(self, body: bytes, code: int = 200, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, value: object, code: int = 200, **headers: str) -> None:
        self.answer(json.dumps(value).encode(), code, Content_Type="application/json", **headers)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_POST(self) -> None:
        body = self.body()
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[:3] == ["api", "repos", "create"]:
            about = json.loads(body)
            name = "/".join(filter(None, (about.get("organization"), about["name"])))
            self.files.setdefault(name, {})
            self.answer_json({"url": f"http://{self.headers['Host']}/{name}"})
        elif parts == ["api", "validate-yaml"]:  # of a card's heading
            self.answer_json({"errors": [], "warnings": []})
        elif parts[4:5] == ["preupload"]:
            asked = json.loads(body)["files"]
            told = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in asked]
            self.answer_json({"files": told})
        elif parts[4:5] == ["commit"]:
            repository = "/".join(parts[2:4])
            for line in filter(None, body.splitlines()):
                entry = json.loads(line)
                if entry["key"] == "file":
                    content = base64.b64decode(entry["value"]["content"])
                    self.files[repository][entry["value"]["path"]] = content
            address = f"http://{self.headers['Host']}/{repository}/commit/{SHA}"
            self.answer_json({"commitUrl": address, "commitOid": SHA, "success": True})
        else:
            self.answer_json({"error": "unknown"}, 404)

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            repository = "/".join(parts[2:4])
            if repository not in self.files:
                self.answer_json({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")
                return
            if parts[4:5] == ["tree"]:
                held = self.files[repository].items()
                told = [{"type": "file", "path": name, "size": len(data), "oid": SHA} for name, data in held]
                self.answer_json(told)
                return
            names = [{"rfilename": name} for name in self.files[repository]]
            self.answer_json({"id": repository, "sha": SHA, "siblings": names})
            return
        content = self.files.get("/".join(parts[:2]), {}).get("/".join(parts[4:]))
        if parts[2:3] != ["resolve"] or content is None:
            self.answer_json({"error": "unknown"}, 404, X_Error_Code="EntryNotFound")
            return
        tag = hashlib.sha1(content).hexdigest()
        self.answer(content, X_Repo_Commit=SHA, ETag=f'"{tag}"')

    do_HEAD = do_GET  # noqa: N815  the library's name


@contextmanager
def hub() -> Iterator[str]:
    """The address of a hub that is empty at first."""
    Hub.files = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
