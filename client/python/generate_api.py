#!/usr/bin/python3
"""Writes the description of the API, which the package loads, from proto/ by protoc.

    generate_api.py PROTO_DIRECTORY OUTPUT_FILE
"""
import subprocess
import sys
from pathlib import Path


def generate(proto: Path, output: Path) -> None:
    """A serialized FileDescriptorSet of all of `proto`, and of what it imports, in `output`."""
    files = sorted(str(file.relative_to(proto)) for file in proto.rglob("*.proto"))
    if not files:
        raise SystemExit(f"{proto}: there are no .proto files")
    output.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["protoc", f"-I{proto}", "--include_imports", f"--descriptor_set_out={output}", *files],
        check=True,
    )


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    generate(Path(sys.argv[1]), Path(sys.argv[2]))
