"""The proxy of docs/deploy at work: which TLS it speaks, what it passes on, how its certificate changes."""

import http.client
import socket
import ssl
import subprocess
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings

from merchant_platform.embedded.processes import GENTLY, Process, wait_until
from tests.needs import program

pytestmark = pytest.mark.requirement("A44")

FOLDER = settings.BASE_DIR / "docs" / "deploy"
PATIENCE_SECONDS = 60
HOST = "localhost"
# Certificates are judged by the world's clock.
TODAY = datetime.now(UTC)


class Made:
    """A certificate and its key, as files, signed by itself or by another."""

    def __init__(self, folder, name, *, issuer=None, host=HOST, begins=-1, ends=90):
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(TODAY + timedelta(days=begins))
            .not_valid_after(TODAY + timedelta(days=ends))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .sign((issuer or self).key, hashes.SHA256())
        )
        self.pem, self.key_pem = folder / f"{name}.crt", folder / f"{name}.key"
        self.pem.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        self.key_pem.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    @property
    def both(self) -> bytes:
        return self.pem.read_bytes() + self.key_pem.read_bytes()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()


class Upstream(BaseHTTPRequestHandler):
    """Where the platform would be: keeps what it was sent, and answers one address only once it is let."""

    heard: list[dict[str, str]] = []
    waiting, let_go = threading.Event(), threading.Event()

    def do_GET(self) -> None:
        if self.path == "/slow":
            self.waiting.set()
            self.let_go.wait(PATIENCE_SECONDS)
        if self.path != "/readyz":
            self.heard.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Nothing: the test says what went wrong."""


class Front:
    """The proxy at work, and what is needed to come to it."""

    def __init__(self, folder, port, plain_port, authority, certificate):
        self.folder, self.port, self.plain_port = folder, port, plain_port
        self.authority, self.certificate = authority, certificate

    def context(self, *, version=ssl.TLSVersion.TLSv1_3, shows=None):
        context = ssl.create_default_context(cafile=self.authority.pem)
        # So that a refusal is the proxy's, not ours.
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        if shows:
            context.load_cert_chain(shows.pem, shows.key_pem)
        return context

    def get(self, path="/", *, shows=None, **headers):
        connection = http.client.HTTPSConnection(
            HOST, self.port, context=self.context(shows=shows), timeout=PATIENCE_SECONDS
        )
        with closing(connection):
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status

    def spoken(self, **options):
        """A connection after its handshake."""
        plain = socket.create_connection((HOST, self.port), PATIENCE_SECONDS)
        try:
            return self.context(**options).wrap_socket(plain, server_hostname=HOST)
        except BaseException:
            plain.close()
            raise

    def shown(self):
        """The certificate that a new connection meets."""
        with self.spoken() as spoken:
            return spoken.getpeercert(binary_form=True)

    def rotate(self, made, *more):
        return rotate(made, self.folder / "site.pem", HOST, *more)


def rotate(made, into, host=HOST, *more, key=None):
    return subprocess.run(
        [FOLDER / "rotate-certificate", made.pem, (key or made).key_pem, into, host, *more],
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    haproxy = program("haproxy", package="haproxy", is_ours=False)
    folder = tmp_path_factory.mktemp("proxy")
    authority = Made(folder, "authority")
    certificate = Made(folder, "first", issuer=authority)
    (folder / "site.pem").write_bytes(certificate.both)
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        port, plain_port = one.getsockname()[1], other.getsockname()[1]
    process = Process(
        "haproxy",
        [haproxy, "-W", "-db", "-p", str(folder / "pid"), "-f", str(FOLDER / "haproxy.cfg")],
        log=folder / "log",
        environment={
            "PATH": "/usr/sbin:/usr/bin",
            "HTTPS_BIND": f"127.0.0.1:{port}",
            "HTTP_BIND": f"127.0.0.1:{plain_port}",
            "CERTIFICATE": str(folder / "site.pem"),
            "CLIENT_CAS": str(authority.pem),
            "PLATFORM": f"127.0.0.1:{upstream.server_address[1]}",
        },
        directory=folder,
        ending=GENTLY,
    )
    process.start()
    made = Front(folder, port, plain_port, authority, certificate)

    def answers():
        try:
            return made.get() == 200
        except OSError:
            return False

    try:
        assert wait_until(answers, seconds=PATIENCE_SECONDS), (folder / "log").read_text()
        yield made
    finally:
        process.stop()
        upstream.shutdown()
        upstream.server_close()


class TestProxy:
    def test_speaks_tls_1_3(self, front):
        with front.spoken() as spoken:
            assert spoken.version() == "TLSv1.3"

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2])
    def test_refuses_what_is_older(self, front, version):
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            front.spoken(version=version)

    def test_passes_on_what_it_knows_and_nothing_that_a_client_says(self, front):
        forged = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Host": "elsewhere.example", "X-Real-IP": "203.0.113.7"}

        front.get(**forged, **{"X-Client-Certificate-Sha256": "00" * 32, "Forwarded": "for=203.0.113.7"})

        told = Upstream.heard[-1]
        assert (told["x-forwarded-for"], told["x-forwarded-proto"]) == ("127.0.0.1", "https")
        assert not {"x-forwarded-host", "x-real-ip", "forwarded", "x-client-certificate-sha256"} & set(told)

    def test_passes_on_the_fingerprint_of_a_certificate_that_it_verified(self, front):
        integrator = Made(front.folder, "integrator", issuer=front.authority)

        assert front.get(shows=integrator) == 200

        assert Upstream.heard[-1]["x-client-certificate-sha256"] == integrator.fingerprint

    def test_refuses_a_certificate_of_nobody_it_knows(self, front):
        with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            front.get(shows=Made(front.folder, "stranger"))

    def test_leads_pages_to_tls_and_refuses_a_key_in_the_open(self, front):
        with closing(http.client.HTTPConnection(HOST, front.plain_port)) as plain:
            plain.request("GET", "/docs")
            page = plain.getresponse()
            page.read()
            plain.request("GET", "/v1/customers")
            api = plain.getresponse()

        assert (page.status, page.headers["Location"]) == (301, f"https://{HOST}:{front.plain_port}/docs")
        assert api.status == 403


class TestRotation:
    def test_changes_it_while_a_request_is_under_way(self, front):
        second = Made(front.folder, "second", issuer=front.authority)
        answered = []
        Upstream.waiting.clear(), Upstream.let_go.clear()
        slow = threading.Thread(target=lambda: answered.append(front.get("/slow")))
        slow.start()
        assert Upstream.waiting.wait(PATIENCE_SECONDS)

        done = front.rotate(second, front.folder / "pid")

        assert done.returncode == 0, done.stderr
        assert wait_until(lambda: front.shown() == second.der, seconds=PATIENCE_SECONDS)
        Upstream.let_go.set()
        slow.join(PATIENCE_SECONDS)
        assert answered == [200]
        assert (front.folder / "site.pem.previous").read_bytes() == front.certificate.both

    def test_does_nothing_the_second_time(self, tmp_path):
        made = Made(tmp_path, "made")
        into = tmp_path / "site.pem"

        first, again = rotate(made, into), rotate(made, into)

        assert (first.returncode, again.returncode) == (0, 0)
        assert again.stdout == f"{into} has this certificate already.\n"
        assert into.stat().st_mode & 0o777 == 0o600
        assert not (tmp_path / "site.pem.previous").exists()

    @pytest.mark.parametrize(
        ("made", "why"),
        [
            ({"host": "other.example"}, "is not for localhost."),
            ({"begins": 1}, "has ended, or has not begun."),
            ({"begins": -30, "ends": -1}, "has ended, or has not begun."),
            ({"ends": 6}, "ends within 7 days."),
        ],
    )
    def test_refuses_what_browsers_would_and_changes_nothing(self, tmp_path, made, why):
        into = tmp_path / "site.pem"
        into.write_text("the present one")

        done = rotate(Made(tmp_path, "made", **made), into)

        assert (done.returncode, why in done.stderr) == (1, True), done.stderr
        assert into.read_text() == "the present one"
        assert {path.name for path in tmp_path.iterdir()} == {"site.pem", "made.crt", "made.key"}

    def test_refuses_the_key_of_another(self, tmp_path):
        made, other = Made(tmp_path, "made"), Made(tmp_path, "other")

        done = rotate(made, tmp_path / "site.pem", key=other)

        assert (done.returncode, "is not the key of" in done.stderr) == (1, True)
        assert not (tmp_path / "site.pem").exists()
