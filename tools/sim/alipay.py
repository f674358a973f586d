# SPDX-License-Identifier: MIT
"""A simulated Alipay gateway on loopback: its HTTP, its JSON, its signatures (RSA2), and moods that tests set.

Nothing of the SDK that the host uses is used here. A request is checked as Alipay does: app_id, time, signature.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import hashlib
import json
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from socket import SO_LINGER, SOL_SOCKET
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tools.host.network.sockets import listen
from tools.sim import alipay_bill
from tools.sim.alipay_books import Books

METHODS = {
    "alipay.trade.pay": "pay",
    "alipay.trade.precreate": "precreate",
    "alipay.trade.query": "query",
    "alipay.trade.cancel": "cancel",
    "alipay.trade.refund": "refund",
    "alipay.trade.fastpay.refund.query": "refund_query",
    "alipay.data.dataservice.bill.downloadurl.query": "bill",
}
# Moods of a call. Before: nothing happens. After: it happens, and the answer does not say so.
BEFORE = ("reset_before", "5xx_before", "hang_before", "busy", "too_often")
AFTER = ("reset_after", "5xx_after", "hang_after", "busy_after", "html", "no_json", "deep", "huge", "redirect")
FALSE = ("bad_signature", "other_key", "unsigned", "wrong_amount", "other_order", "other_trade", "wrong_type", "list")
_BUSY = {"code": "20000", "msg": "Service Currently Unavailable", "sub_code": "isp.unknow-error", "sub_msg": "繁忙"}
_LIMIT = {"code": "40005", "msg": "Call Limited", "sub_code": "isv.app-call-limited", "sub_msg": "超限"}
_SKEW = 10 * 60  # seconds


class _Protocol(H11Protocol):
    """Lets a mood cut the connection it is on."""

    def connection_made(self, transport: Any) -> None:
        application = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            await application({**scope, "kassa.transport": transport}, receive, send)

        self.app = with_transport
        super().connection_made(transport)


class Alipay:
    """`app_key`: the app's public key. `certificates`: in certificate mode, of the app, of Alipay, and of the root.

    `moods`: by call (pay, query ...), used up in order; then `always`. `calls`: (call, order number), as they came.
    `tls`: files of the server's certificate and key; without it, HTTP. `skew`: seconds by which this gateway's clock is ahead.
    """

    def __init__(
        self,
        app_id: str,
        app_key: rsa.RSAPublicKey,
        key: rsa.RSAPrivateKey,
        clock: Callable[[], int],
        certificates: tuple[x509.Certificate, x509.Certificate, x509.Certificate] | None = None,
        tls: tuple[str, str] | None = None,
    ) -> None:
        self.app_id, self.app_key, self.key = app_id, app_key, key
        self.numbers = tuple(number_of(each) for each in certificates or ())
        self.books = Books(clock)
        self.clock, self.skew = clock, 0
        self.moods: dict[str, list[str]] = defaultdict(list)
        self.always: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self.elsewhere = 0  # requests that followed a redirect
        self.bill_address = ""  # instead of the right one
        self.bill_content: bytes | None = None
        self.on_call: Callable[[str], None] = lambda call: None  # what happens elsewhere while a call is answered
        self.on_change: Callable[[], None] = lambda: None  # with `lock` held, before the answer leaves
        self.lock = threading.RLock()  # hold it to look at `books` or change them
        self.keeps_days = False  # True: there is no bill before its day is over
        routes = [
            Route("/gateway.do", self._gateway, methods=["POST", "GET"]),
            Route("/downloadBillFile.resource", self._bill),
            Route("/elsewhere", self._elsewhere, methods=["POST", "GET"]),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), http=_Protocol, log_config=None, log_level="critical", lifespan="off", ws="none",
            timeout_keep_alive=75,
            ssl_certfile=tls[0] if tls else None, ssl_keyfile=tls[1] if tls else None,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._socket = listen("127.0.0.1", 0)
        self.port = self._socket.getsockname()[1]
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    def __enter__(self) -> Alipay:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()
        self._socket.close()

    async def _gateway(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        fields = dict(request.query_params) | form
        name = fields.get("method", "").replace(".", "_") + "_response"
        wrong = self._refusal(fields) or ("" if "biz_content" in form else "isv.missing-biz-content")
        if wrong:  # Alipay does not sign these
            node = {"code": "40002", "msg": "Invalid Arguments", "sub_code": wrong, "sub_msg": "无效"}
            return Response(json.dumps({name: node}), media_type="text/html")
        call, content = METHODS[fields["method"]], json.loads(fields["biz_content"])
        self.calls.append((call, content.get("out_trade_no", "")))
        with self.lock:
            self.on_call(call)
        mood = self.moods[call].pop(0) if self.moods[call] else self.always.get(call, "")
        if mood in BEFORE:
            return await self._unanswered(request, name, mood)
        with self.lock:
            node = self._bill_address(content) if call == "bill" else getattr(self.books, call)(content)
            self.on_change()
        if mood in AFTER:
            return await self._unanswered(request, name, mood)
        return self._answer(name, node, mood)

    def _refusal(self, fields: dict[str, str]) -> str:
        """The sub_code of a request that Alipay does not look into; "" for a good one."""
        if fields.get("app_id") != self.app_id:
            return "isv.invalid-app-id"
        if fields.get("method") not in METHODS:
            return "isv.invalid-method"
        if self.numbers and (fields.get("app_cert_sn"), fields.get("alipay_root_cert_sn")) != self.numbers[::2]:
            return "isv.app-cert-sn-error"
        try:
            at = datetime.datetime.fromisoformat(fields.get("timestamp", "")).replace(tzinfo=alipay_bill.BEIJING)
        except ValueError:
            return "isv.invalid-timestamp"
        if abs(at.timestamp() - self.clock() / 1000 - self.skew) > _SKEW:
            return "isv.invalid-timestamp"
        signed = "&".join(f"{key}={value}" for key, value in sorted(fields.items()) if key != "sign")
        try:
            sign = base64.b64decode(fields.get("sign", ""))
            self.app_key.verify(sign, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return "isv.invalid-signature"
        return "" if fields.get("sign_type") == "RSA2" else "isv.invalid-signature-type"

    async def _unanswered(self, request: Request, name: str, mood: str) -> Response:
        kind = mood.partition("_")[0]
        if kind == "reset":
            transport = request.scope["kassa.transport"]
            transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        if kind in ("reset", "hang"):
            await asyncio.Event().wait()
        if kind in ("busy", "too"):
            return self._answer(name, _BUSY if kind == "busy" else _LIMIT, "")
        if mood == "redirect":
            return RedirectResponse(self.address + "/elsewhere", 307)
        bodies = {"html": b"<html>Sign in</html>", "no": b'{"' + name.encode() + b'":', "huge": bytes(20 << 20)}
        bodies["deep"] = b'{"' + name.encode() + b'":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        return Response(bodies.get(kind, b"Bad Gateway"), 502 if kind == "5xx" else 200, media_type="text/html")

    def _answer(self, name: str, node: dict[str, Any], mood: str) -> Response:
        if mood == "wrong_amount":
            node = {
                key: "0.01" if key in ("total_amount", "refund_fee", "refund_amount") else node[key] for key in node
            }
        elif mood == "other_order":
            node = {**node, "out_trade_no": "f" * 32}
        elif mood == "other_trade":
            node = {**node, "trade_no": "2020000000000000000000000000"}
        elif mood == "wrong_type":
            node = {**node, "out_trade_no": [node.get("out_trade_no")], "total_amount": {"yuan": 1}}
        text = json.dumps([node] if mood == "list" else node, ensure_ascii=False, separators=(",", ":"))
        text = text.replace("/", "\\/")
        key = rsa.generate_private_key(65537, 2048) if mood == "other_key" else self.key
        sign = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        if mood == "bad_signature":
            text = text.replace("Success", "success").replace("Failed", "failed").replace("success pay", "Success pay")
        extra = f',"alipay_cert_sn":"{self.numbers[1]}"' if self.numbers else ""
        if mood == "sign_first":  # as true as any other order
            return Response(f'{{ "sign" : "{sign}", "note":"{name}" , "{name}" : {text}{extra} }}\r\n')
        end = "" if mood == "unsigned" else f',"sign":"{sign}"'
        return Response(f'{{"{name}":{text}{extra}{end}}}', media_type="text/html;charset=utf-8")

    def _bill_address(self, content: dict[str, str]) -> dict[str, str]:
        day = datetime.date.fromisoformat(content["bill_date"])
        today = datetime.datetime.fromtimestamp(self.clock() / 1000, alipay_bill.BEIJING).date()
        if not alipay_bill.of_day(self.books.entries, day) or self.keeps_days and day >= today:
            return {"code": "40004", "msg": "Business Failed", "sub_code": "isp.bill_not_exist", "sub_msg": "不存在"}
        url = f"{self.bill_address or self.address}/downloadBillFile.resource?bizDates={day}"
        return {"code": "10000", "msg": "Success", "bill_download_url": url}

    async def _bill(self, request: Request) -> Response:
        mood = self.moods["download"].pop(0) if self.moods["download"] else ""
        if mood:
            return await self._unanswered(request, "", mood)
        day = datetime.date.fromisoformat(request.query_params["bizDates"])
        made = alipay_bill.packed(alipay_bill.of_day(self.books.entries, day))
        return Response(made if self.bill_content is None else self.bill_content, media_type="application/zip")

    async def _elsewhere(self, request: Request) -> Response:
        self.elsewhere += 1
        return Response("{}")


def number_of(certificate: x509.Certificate) -> str:
    """Alipay's number of a certificate (SN): MD5 over its issuer, most specific name first, and its serial number."""
    issuer = certificate.issuer.rfc4514_string()
    return hashlib.md5(f"{issuer}{certificate.serial_number}".encode(), usedforsecurity=False).hexdigest()
