"""A certificate authority of this machine's own, for a network that nobody outside can vouch for."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from nearer.errors import OutputError

AUTHORITY_LASTS = timedelta(days=5 * 365)
SERVER_LASTS = timedelta(days=397)
"""Browsers take no server's certificate that lasts longer than 398 days."""

RENEWED_BEFORE = timedelta(days=30)

NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "::1/128", "fc00::/7")
"""The authority vouches for names and addresses of a local network alone: a stolen key opens nothing else."""

LOCAL = ("localhost", "local", "lan", "home.arpa", "internal")


@dataclass(frozen=True)
class Certificate:
    """
    What a server that speaks TLS needs.

    Parameters
    ----------
    chain, key
        Files of the server.
    authority
        File that other devices are to trust.
    names
        What the server may be called, in small letters.
    """

    chain: Path
    key: Path
    authority: Path
    names: frozenset[str]

    def fingerprint(self) -> str:
        """SHA-256 of the authority's certificate, as devices show it."""
        found = x509.load_pem_x509_certificate(self.authority.read_bytes())
        return found.fingerprint(hashes.SHA256()).hex(":").upper()


def certified(folder: Path, host: str) -> Certificate:
    """
    The server's certificate, made or renewed where needed; the authority stays as long as it holds.

    Parameters
    ----------
    folder
        Where keys and certificates are kept, readable by this user alone.
    host
        Address that is listened on.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    names = _names(host)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        authority, authority_key = _authority(folder, names)
        server = folder / "server.pem"
        if not _holds(server, names, authority):
            _make_server(folder, names, authority, authority_key)
    except OSError as error:
        raise OutputError(folder, error.strerror or error) from error
    return Certificate(server, folder / "server.key", folder / "ca.crt", names)


def _names(host: str) -> frozenset[str]:
    """This machine's names and addresses; those of all its networks where it listens on all."""
    own = socket.gethostname().casefold()
    found = {"localhost", "127.0.0.1", "::1", own}
    if "." not in own:
        found.add(f"{own}.local")
    if host in ("0.0.0.0", "::"):
        found.update(_addresses(own))
    else:
        found.add(host.casefold())
    return frozenset(found)


def _addresses(own: str) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        found = {str(one[4][0]).partition("%")[0] for one in socket.getaddrinfo(own, None)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.168.255.255", 9))  # sends nothing; tells which address would be used
            found.add(str(probe.getsockname()[0]))
        except OSError:
            pass
    return found


def _authority(folder: Path, names: frozenset[str]) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    file, key_file = folder / "ca.crt", folder / "ca.key"
    if file.is_file() and key_file.is_file():
        found = x509.load_pem_x509_certificate(file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if isinstance(key, ec.EllipticCurvePrivateKey) and _lasts(found) and _vouches(found, names):
            return found, key
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(f"nearer on {socket.gethostname()[:40]}")
    now = datetime.now(UTC)
    subtrees: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_network(one)) for one in NETWORKS]
    subtrees += [x509.DNSName(one) for one in LOCAL]
    subtrees += [_constraint(name) for name in sorted(names)]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=subtrees, excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_key(key_file, key)
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return made, key


def _make_server(
    folder: Path, names: frozenset[str], authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(_subject("nearer"))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(min(now + SERVER_LASTS, authority.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in sorted(names)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    _write_key(folder / "server.key", key)
    chain = [one.public_bytes(serialization.Encoding.PEM) for one in (made, authority)]
    (folder / "server.pem").write_bytes(b"".join(chain))


def _holds(server: Path, names: frozenset[str], authority: x509.Certificate) -> bool:
    """Whether the server's certificate is there, for all names, from this authority and for a while yet."""
    if not server.is_file():
        return False
    found = x509.load_pem_x509_certificate(server.read_bytes())
    san = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    held = {*san.get_values_for_type(x509.DNSName), *map(str, san.get_values_for_type(x509.IPAddress))}
    try:
        found.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return names <= held and _lasts(found)


def _vouches(authority: x509.Certificate, names: frozenset[str]) -> bool:
    """Whether the authority's limits let it vouch for every name."""
    try:
        limits = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    except x509.ExtensionNotFound:
        return False
    networks = [one.value for one in limits if isinstance(one, x509.IPAddress)]
    domains = [one.value for one in limits if isinstance(one, x509.DNSName)]

    def within(name: str) -> bool:
        address = _address(name)
        if address is None:
            return any(name == one or name.endswith(f".{one}") for one in domains)
        return any(address in network for network in networks)  # type: ignore[operator]

    return all(within(name) for name in names)


def _lasts(found: x509.Certificate) -> bool:
    return found.not_valid_after_utc > datetime.now(UTC) + RENEWED_BEFORE


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _general(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _constraint(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(ipaddress.ip_network(address))


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(text)
