"""The lab: real servers for tests, the demo and the benchmark. Start reading in servers.py."""
