"""SRTP for the lab's phones and for tests: libsrtp2, which nothing of trunkd's own relies on, called
directly; crypto lines of SDP (RFC 4568); session keys derived by the letter of RFC 3711 4.3."""

import base64
import collections
import ctypes
import os
import re

RTP_LABELS, RTCP_LABELS = (0, 1, 2), (3, 4, 5)  # cipher key, authentication key, salt
AUTH_SIZE = 20
TRAILER_ROOM = 144 + 4  # SRTP_MAX_TRAILER_LEN and the index of SRTCP

Suite = collections.namedtuple("Suite", "name key salt tag rtcp_tag is_aead policy rtcp_policy")
SessionKeys = collections.namedtuple("SessionKeys", "cipher auth salt")
Crypto = collections.namedtuple("Crypto", "tag suite master rest")

# RFC 4568 6.2 (the tag of SRTCP is the long one in both), RFC 7714 12 and 13.
SUITES = {suite.name: suite for suite in (
    Suite("AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10, False, "rtp_default", "rtcp_default"),
    Suite("AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10, False, "aes_cm_128_hmac_sha1_32", "rtcp_default"),
    Suite("AEAD_AES_128_GCM", 16, 12, 16, 16, True, "aes_gcm_128_16_auth", "aes_gcm_128_16_auth"),
    Suite("AEAD_AES_256_GCM", 32, 12, 16, 16, True, "aes_gcm_256_16_auth", "aes_gcm_256_16_auth"))}
LONG, SHORT = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
GCM_128, GCM_256 = "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"

STATUS = {7: "authentication failed", 9: "replayed", 10: "too old to tell whether it is replayed",
          13: "no context", 21: "malformed"}


class SrtpError(Exception):
    """libsrtp2 said no; `status` is its number, is_replay and is_forged what tests ask."""

    def __init__(self, what, status):
        super().__init__(f"{what}: {STATUS.get(status, f'status {status}')}")
        self.status = status
        self.is_forged, self.is_replay = status == 7, status in (9, 10)


class _CryptoPolicy(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in (
        "cipher_type", "cipher_key_len", "auth_type", "auth_key_len", "auth_tag_len", "sec_serv")]


class _Policy(ctypes.Structure):
    _fields_ = [("ssrc_type", ctypes.c_int), ("ssrc", ctypes.c_uint),
                ("rtp", _CryptoPolicy), ("rtcp", _CryptoPolicy),
                ("key", ctypes.c_char_p), ("keys", ctypes.c_void_p),
                ("num_master_keys", ctypes.c_ulong), ("deprecated_ekt", ctypes.c_void_p),
                ("window_size", ctypes.c_ulong), ("allow_repeat_tx", ctypes.c_int),
                ("enc_xtn_hdr", ctypes.c_void_p), ("enc_xtn_hdr_count", ctypes.c_int),
                ("next", ctypes.c_void_p)]


SSRC_ONE, SSRC_ANY_IN, SSRC_ANY_OUT = 1, 2, 3


class _Library:
    """libsrtp2 and libcrypto, opened at first use."""

    def __init__(self):
        self.srtp = ctypes.CDLL("libsrtp2.so.1")
        self.crypto = ctypes.CDLL("libcrypto.so.3")
        check("srtp_init", self.srtp.srtp_init())
        pointer = ctypes.c_void_p
        for name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_ctr", "EVP_aes_256_ctr"):
            getattr(self.crypto, name).restype = pointer
        self.crypto.EVP_EncryptInit_ex.argtypes = [pointer, pointer, pointer, ctypes.c_char_p,
                                                   ctypes.c_char_p]
        self.crypto.EVP_EncryptUpdate.argtypes = [pointer, pointer, ctypes.POINTER(ctypes.c_int),
                                                  ctypes.c_char_p, ctypes.c_int]
        self.crypto.EVP_CIPHER_CTX_free.argtypes = [pointer]

    def policy(self, name):
        made = _CryptoPolicy()
        getattr(self.srtp, f"srtp_crypto_policy_set_{name}")(ctypes.byref(made))
        return made

    def key_stream(self, key, counter, size):
        """AES in counter mode over zeros."""
        context = self.crypto.EVP_CIPHER_CTX_new()
        cipher = self.crypto.EVP_aes_256_ctr() if len(key) == 32 else self.crypto.EVP_aes_128_ctr()
        out, written = ctypes.create_string_buffer(size + 16), ctypes.c_int()
        try:
            if not self.crypto.EVP_EncryptInit_ex(context, cipher, None, key, counter) or \
                    not self.crypto.EVP_EncryptUpdate(context, out, ctypes.byref(written),
                                                      b"\0" * size, size):
                raise SrtpError("AES", 14)
        finally:
            self.crypto.EVP_CIPHER_CTX_free(context)
        return out.raw[:size]


_opened = []


def library():
    if not _opened:
        _opened.append(_Library())
    return _opened[0]


def check(what, status):
    if status:
        raise SrtpError(what, status)


class Context:
    """One direction under one master key (key and salt, one behind the other), RTP and RTCP. With
    `ssrc` it serves that one alone, and its ROC can be set before the first packet."""

    def __init__(self, suite, master, outbound=False, ssrc=None, roc=None, window=128):
        self.suite, self.master = SUITES[suite], master
        if len(master) != self.suite.key + self.suite.salt:
            raise SrtpError(f"{suite} with {len(master)} octets of key and salt", 2)
        own = library()
        kind = SSRC_ONE if ssrc is not None else SSRC_ANY_OUT if outbound else SSRC_ANY_IN
        # libsrtp2 reads as many octets as its policy says: never fewer than are there.
        self.policy = _Policy(kind, ssrc or 0, own.policy(self.suite.policy),
                              own.policy(self.suite.rtcp_policy), master + b"\0" * 16,
                              window_size=window)
        self.session = ctypes.c_void_p()
        check("srtp_create", own.srtp.srtp_create(ctypes.byref(self.session),
                                                  ctypes.byref(self.policy)))
        if roc is not None:
            self.set_roc(ssrc, roc)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.session:
            library().srtp.srtp_dealloc(self.session)
            self.session = None

    def _run(self, name, packet):
        octets = ctypes.create_string_buffer(packet, len(packet) + TRAILER_ROOM)
        size = ctypes.c_int(len(packet))
        check(name, getattr(library().srtp, name)(self.session, octets, ctypes.byref(size)))
        return octets.raw[:size.value]

    def protect(self, packet):
        return self._run("srtp_protect", packet)

    def unprotect(self, packet):
        return self._run("srtp_unprotect", packet)

    def protect_rtcp(self, packet):
        return self._run("srtp_protect_rtcp", packet)

    def unprotect_rtcp(self, packet):
        return self._run("srtp_unprotect_rtcp", packet)

    def set_roc(self, ssrc, roc):
        check("srtp_set_stream_roc", library().srtp.srtp_set_stream_roc(
            self.session, ctypes.c_uint(ssrc), ctypes.c_uint(roc)))

    def roc(self, ssrc):
        found = ctypes.c_uint()
        check("srtp_get_stream_roc", library().srtp.srtp_get_stream_roc(
            self.session, ctypes.c_uint(ssrc), ctypes.byref(found)))
        return found.value


def derive(suite, master, is_rtcp=False):
    """Session keys of RTP or of RTCP (RFC 3711 4.3.1; 4.3.3; RFC 7714 11: a salt of 96 bits is
    padded on the right). `auth` is empty for AEAD."""
    suite = SUITES[suite]
    key, salt = master[:suite.key], master[suite.key:].ljust(14, b"\0")

    def one(label, size):
        mixed = bytearray(salt + b"\0\0")
        mixed[7] ^= label
        return library().key_stream(key, bytes(mixed), size) if size else b""
    cipher, auth, salt_label = RTCP_LABELS if is_rtcp else RTP_LABELS
    return SessionKeys(one(cipher, suite.key), one(auth, 0 if suite.is_aead else AUTH_SIZE),
                       one(salt_label, suite.salt))


def new_master(suite):
    return os.urandom(SUITES[suite].key + SUITES[suite].salt)


def crypto_line(suite, master, tag=1, rest="", padded=True):
    """A line of SDP without its end. `rest` follows the key: "|2^31", " FEC_ORDER=…"."""
    text = base64.b64encode(master).decode()
    return f"a=crypto:{tag} {suite} inline:{text if padded else text.rstrip('=')}{rest}"


def read_crypto(sdp):
    """[Crypto] of all lines with a suite known here."""
    found = []
    for tag, suite, text, rest in re.findall(
            r"^a=crypto:(\d+) (\S+) inline:([A-Za-z0-9+/]+)=*([^\r\n]*)", sdp, re.M):
        if suite in SUITES:
            found.append(Crypto(int(tag), suite, base64.b64decode(text + "=" * (-len(text) % 4)),
                                rest))
    return found
