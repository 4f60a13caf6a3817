"""Every answer carries the security headers; what is too large is answered, not cut off."""

import http.client
import io
import json

import pytest
from django.core.exceptions import RequestDataTooBig
from django.http import StreamingHttpResponse
from django.test import RequestFactory

from listings import limits
from marketplace import errors, middleware

PATHS = ["/", "/healthz", "/no/such/page", "/api/no-such", "/accounts/sign-in/", "/media/no-such.jpg"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_headers(client, path):
    response = client.get(path)
    for name, value in middleware.HEADERS.items():
        assert response.headers[name] == value, name


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/healthz", "/no/such/page", "/accounts/sign-in/", "/api/policies"])
def test_head_is_answered_as_get_without_a_body(client, rf, path):
    """The test client takes the body away itself: the handler is asked here, as a server asks it."""
    from django.core.handlers.base import BaseHandler

    handler = BaseHandler()
    handler.load_middleware()
    got, head = (handler.get_response(getattr(rf, how)(path)) for how in ("get", "head"))
    assert head.status_code == got.status_code
    assert head.content == b""
    assert int(head.headers["Content-Length"]) > 0


def test_head_of_a_stream_reads_none_of_it(rf):
    def never():
        raise AssertionError("read")
        yield b""

    answer = middleware.no_body_for_head(lambda request: StreamingHttpResponse(never()))(rf.head("/media/a.jpg"))
    assert b"".join(answer) == b""


def test_the_policy_allows_wasm_and_nothing_looser():
    policy = middleware.POLICY
    assert policy["script-src"].split() == ["'self'", "'wasm-unsafe-eval'"]
    assert policy["worker-src"] == policy["connect-src"] == policy["style-src"] == policy["default-src"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    everything = middleware.policy_text(policy)
    for loose in ("unsafe-inline", "'unsafe-eval'", "http:", "https:", "*"):
        assert loose not in everything


@pytest.mark.django_db
def test_the_api_page_alone_may_style_itself(client):
    documentation = client.get("/api/docs").headers["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in documentation
    assert "script-src 'self' 'wasm-unsafe-eval';" in documentation


@pytest.fixture
def small_limit(monkeypatch):
    monkeypatch.setattr(limits, "REQUEST_BYTES", 2 * 1024 * 1024)


def send(client, path, size):
    return client.generic("POST", path, b"x" * size, content_type="application/octet-stream")


def test_a_huge_request_gets_a_clear_413(client, small_limit):
    response = send(client, "/accounts/sign-in/", limits.REQUEST_BYTES + 1)
    assert response.status_code == 413
    assert "2 MB in all" in response.content.decode()
    assert "nothing was stored" in response.content.decode().lower()


def test_a_huge_request_to_the_api_gets_it_as_json(client, small_limit):
    response = send(client, "/api/drafts/x", limits.REQUEST_BYTES + 1)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"
    assert response.json()["error"]["fields"] == {}


@pytest.mark.site
def test_a_browser_that_sends_too_much_can_read_the_answer(site):
    """Over a real connection: a server that closes early shows the merchant a connection error instead."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
    connection.putrequest("POST", "/sell/new/")
    connection.putheader("Content-Length", str(limits.REQUEST_BYTES + 1))
    connection.endheaders()
    left = limits.REQUEST_BYTES + 1
    while left:
        connection.send(b"x" * min(left, 1 << 20))
        left -= min(left, 1 << 20)
    response = connection.getresponse()
    assert response.status == 413
    assert "MB in all" in response.read().decode()


@pytest.mark.parametrize("length", ["-5", "1e9", "٣", "x"])
def test_a_senseless_length_is_refused(length):
    handle = middleware.request_size_limit(lambda request: pytest.fail("must not be reached"))
    request = RequestFactory().post("/", b"x", content_type="text/plain")
    request.META["CONTENT_LENGTH"] = length
    assert handle(request).status_code == 400


def test_too_many_form_fields_bytes_become_413():
    handle = middleware.request_size_limit(lambda request: None)
    response = handle.process_exception(RequestFactory().post("/api/x"), RequestDataTooBig("too big"))
    assert response.status_code == 413
    assert handle.process_exception(RequestFactory().post("/"), ValueError()) is None


def test_what_a_browser_still_sends_is_read_but_not_without_end():
    class Endless:
        def __init__(self):
            self.given = 0

        def read(self, size):
            self.given += size
            return b"x" * size

    endless = Endless()
    middleware.swallow(endless, 10 * limits.REQUEST_BYTES)
    assert endless.given == 2 * limits.REQUEST_BYTES


@pytest.mark.django_db
def test_unknown_addresses_have_a_page_and_under_api_json(client):
    page = client.get("/no/such/page")
    assert page.status_code == 404
    assert "<h1" in page.content.decode()
    answer = client.get("/api/no/such")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.django_db
def test_a_form_from_an_earlier_session_is_explained():
    from django.test import Client

    response = Client(enforce_csrf_checks=True).post("/accounts/sign-in/", {"username": "a", "password": "b"})
    assert response.status_code == 403
    assert "reload the page" in response.content.decode()


@pytest.mark.parametrize("path,kind", [("/x", "text/html"), ("/api/x", "application/json")])
def test_a_bug_is_answered_without_the_database(path, kind):
    # No database fixture here: the page of a broken server must not need one.
    response = errors.server_error(RequestFactory().get(path))
    assert response.status_code == 500
    assert response.headers["Content-Type"].startswith(kind)


def test_an_error_in_json_has_one_shape():
    body = json.loads(errors.api_error(409, "conflict", "Changed elsewhere.", {"title": "is newer"}).content)
    assert body == {"error": {"code": "conflict", "message": "Changed elsewhere.", "fields": {"title": "is newer"}}}


def body_of(data: bytes, length: int) -> middleware.WholeBody:
    return middleware.WholeBody(io.BytesIO(data), length)


def test_a_body_that_ends_early_is_an_error_and_a_whole_one_is_not():
    whole = body_of(b"one\ntwo", 7)
    assert (whole.readline(), whole.read(2), whole.read(), whole.read(5), whole.read(0)) == (
        b"one\n", b"tw", b"o", b"", b"",
    )  # fmt: skip
    short = body_of(b"one", 7)
    assert short.read(7) == b"one"
    with pytest.raises(ConnectionError, match="4 bytes before"):
        short.read(4)
    with pytest.raises(ConnectionError):
        body_of(b"", 7).readline()


@pytest.mark.parametrize("length", ["", "0", None, "-5", "x"])
def test_a_request_without_a_length_keeps_its_stream(length):
    def application(environ, start_response):
        return environ["wsgi.input"].read()

    environ = {"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO()}
    assert middleware.whole_bodies(application)(environ, None) == b""
