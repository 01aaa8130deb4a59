"""The chat's fan-out beside Socket.IO with its Redis adapter: the same rooms and load, one machine."""
