"""Reading from a pipe returns what is available without waiting for more."""

import io
import os
import threading

from charrnn.text.live_input import available_bytes

PIECE = 1 << 20


def test_a_pipe_returns_what_is_available():
    end, begin = os.pipe()
    with open(end, "rb") as file, open(begin, "wb", buffering=0) as writer:
        pieces = available_bytes(file, PIECE)
        for word in (b"one", b"two\n", b"\xff"):
            writer.write(word)
            assert next(pieces) == word  # would hang if it waited for more
        writer.write(b"a")
        writer.write(b"b")
        assert next(pieces) == b"ab"
        writer.close()
        assert list(pieces) == []


def test_everything_written_to_a_pipe_is_read_in_pieces_of_bounded_size():
    data = os.urandom(3 * PIECE + 17)
    end, begin = os.pipe()

    def feed():
        with open(begin, "wb") as writer:
            writer.write(data)

    feeder = threading.Thread(target=feed)
    feeder.start()
    with open(end, "rb") as file:
        pieces = list(available_bytes(file, PIECE))
    feeder.join()
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= PIECE


def test_a_file_is_read_in_pieces(tmp_path):
    data = os.urandom(2 * PIECE + 1)
    (tmp_path / "file").write_bytes(data)
    with open(tmp_path / "file", "rb") as file:
        assert list(map(len, available_bytes(file, PIECE))) == [PIECE, PIECE, 1]
    assert b"".join(available_bytes(io.BytesIO(data), PIECE)) == data
