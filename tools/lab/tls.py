"""Certificates for tests: a CA made on the spot, and one for 127.0.0.1 and localhost that it signed."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

VALID_DAYS = 2


@dataclass(frozen=True)
class Certificates:
    ca: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path, common_name: str = "localhost") -> Certificates:
    """Writes ca.pem, cert.pem and key.pem (PKCS#8, no password) into the folder. Every call makes a new CA."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    names = folder / "names.cnf"
    names.write_text("subjectAltName = DNS:localhost, IP:127.0.0.1\nbasicConstraints = CA:FALSE\n")
    _openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(VALID_DAYS), "-subj", "/CN=pawl test CA",
             "-keyout", str(folder / "ca-key.pem"), "-out", str(made.ca))
    _openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={common_name}",
             "-keyout", str(made.key), "-out", str(folder / "request.pem"))
    _openssl("x509", "-req", "-days", str(VALID_DAYS), "-in", str(folder / "request.pem"), "-CA", str(made.ca),
             "-CAkey", str(folder / "ca-key.pem"), "-CAcreateserial", "-extfile", str(names),
             "-out", str(made.certificate))
    return made


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
