"""A CA of the lab and what it issues, by the openssl command: RSA and ECDSA certificates for the
appliance, others for phones and carriers."""

import pathlib
import ssl
import subprocess

from .network import LabError

DAYS = 365


def openssl(*words, stdin=None):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True,
                          input=stdin, check=False)
    if done.returncode:
        raise LabError(f"openssl {words[0]}: {done.stderr.strip()}")
    return done.stdout


def contexts(certificate, key):
    """To connect and to accept with; nobody is verified."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return client, server


class Authority:
    """`folder`/ca.crt, and NAME.crt (with the CA behind it) and NAME.key for each order."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key("ca", False)
        openssl("req", "-x509", "-new", "-key", self.path("ca.key"), "-subj", "/CN=lab CA",
                "-days", DAYS, "-out", self.ca)

    def path(self, name):
        return self.folder / name

    @property
    def ca(self):
        return self.path("ca.crt")

    def _key(self, name, is_rsa):
        kind = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if is_rsa else \
            ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("genpkey", "-algorithm", *kind, "-out", self.path(f"{name}.key"))
        self.path(f"{name}.key").chmod(0o640)

    def issue(self, name, sans, is_rsa=False, days=DAYS):
        """Both files; `sans` as the library writes them: ["DNS:*.example", "IP:192.0.2.1"]."""
        self._key(name, is_rsa)
        request = openssl("req", "-new", "-key", self.path(f"{name}.key"), "-subj", f"/CN={name}")
        extensions = self.path(f"{name}.ext")
        extensions.write_text(f"subjectAltName={','.join(sans)}\nbasicConstraints=CA:FALSE\n")
        leaf = openssl("x509", "-req", "-CA", self.ca, "-CAkey", self.path("ca.key"),
                       "-CAcreateserial", "-days", days, "-extfile", extensions, stdin=request)
        self.path(f"{name}.crt").write_text(leaf + self.ca.read_text())
        return self.path(f"{name}.crt"), self.path(f"{name}.key")

    def options(self, base_domain, address):
        """The appliance's own two, as rows of its configuration."""
        names = [f"DNS:*.{base_domain}", f"DNS:{base_domain}", f"IP:{address}"]
        rsa, ecdsa = self.issue("rsa", names, is_rsa=True), self.issue("ecdsa", names)
        return {"tls.rsa_certificate": rsa[0], "tls.rsa_key": rsa[1],
                "tls.ecdsa_certificate": ecdsa[0], "tls.ecdsa_key": ecdsa[1],
                "tls.ca_file": self.ca}
