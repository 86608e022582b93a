"""Ten seconds of speech as G.711 µ-law, made here: spoken by espeak-ng when it is installed, else a
row of sliding tones, which show a lost or swapped packet just as well."""

import array
import math
import shutil
import subprocess
import tempfile
import wave

RATE = 8000
SECONDS = 10
TEXTS = {
    "pbx": "Hello, this is the office calling through the trunk. One, two, three, four, five, six, "
           "seven, eight, nine, ten. The quick brown fox jumps over the lazy dog. Do you hear me?",
    "carrier": "Good morning, you have reached the public telephone network. Ten, nine, eight, "
               "seven, six, five, four, three, two, one. Pack my box with five dozen liquor jugs.",
}


def encode(sample):
    """One 16-bit sample to µ-law (G.711)."""
    sign, value = (0x80, -sample) if sample < 0 else (0, sample)
    value = min(value, 32635) + 132
    exponent = value.bit_length() - 8
    return ~(sign | exponent << 4 | value >> exponent + 3 & 15) & 0xFF


def decode(octet):
    octet = ~octet & 0xFF
    value = (((octet & 15) << 3) + 132 << (octet >> 4 & 7)) - 132
    return -value if octet & 0x80 else value


DECODED = [decode(octet) for octet in range(256)]


def spoken(text):
    """Samples of that text at 8 kHz, or None without espeak-ng."""
    program = shutil.which("espeak-ng")
    if not program:
        return None
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run([program, "-v", "en", "-s", "165", "-w", file.name, text], check=True,
                       capture_output=True)
        with wave.open(file.name) as source:
            rate = source.getframerate()
            samples = array.array("h", source.readframes(source.getnframes()))
    step = rate / RATE
    return [mean(samples, index * step, step) for index in range(int(len(samples) / step))]


def mean(samples, start, step):
    """A crude low pass: the mean of the samples one output sample spans."""
    window = samples[int(start):max(int(start) + 1, int(start + step))]
    return sum(window) // len(window)


def tones(pitch):
    """Sliding tones with pauses."""
    samples, phase = [], 0.0
    for index in range(RATE * SECONDS):
        place = index / RATE
        phase += 2 * math.pi * (pitch + 600 * (place * 1.3 % 1)) / RATE
        samples.append(int(9000 * math.sin(phase)) if place % 0.5 < 0.42 else 0)
    return samples


def make(who):
    """µ-law octets of SECONDS seconds, different for each party."""
    samples = spoken(TEXTS[who]) or tones(300 if who == "pbx" else 700)
    samples = (samples + [0] * (RATE * SECONDS))[:RATE * SECONDS]
    # Silence is one octet again and again; a faint click every 20 ms tells its packets apart.
    for index in range(0, len(samples), 160):
        samples[index] = (index // 160 * 97 % 61 - 30) * 8
    return bytes(encode(sample) for sample in samples)


def write_wave(octets, path):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array.array("h", [DECODED[octet] for octet in octets]).tobytes())


def read_wave(path):
    """Samples of a 16-bit mono file."""
    with wave.open(str(path)) as file:
        return array.array("h", file.readframes(file.getnframes()))
