"""Bytes in motion: source, compression, encryption, digests, sink; in bounded memory."""
