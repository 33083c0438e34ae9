"""A writer of Leica's LIF files, enough to test with."""

from __future__ import annotations

import struct

_BYTES_OF_DIMENSION = {"X": 1, "Y": 2, "Z": 3, "T": 4}


def write_lif(path, images):
    """Write gray uint8 images: a dictionary of names and (T, C, Y, X) arrays."""
    elements = "".join(_element(number, name, values) for number, (name, values) in enumerate(images.items()))
    header = (
        '<LMSDataContainerHeader Version="2"><Element Name="project" Visibility="1" CopyOption="1" UniqueID="p">'
        f'<Data><Experiment/></Data><Memory Size="0" MemoryBlockID="MemBlock_none"/><Children>{elements}</Children>'
        "</Element></LMSDataContainerHeader>"
    )
    text = header.encode("utf-16-le")
    with path.open("wb") as file:
        file.write(struct.pack("<IIBI", 0x70, len(text) + 5, 0x2A, len(header)) + text)
        for number, values in enumerate(images.values()):
            name = f"MemBlock_{number}".encode("utf-16-le")
            size = 1 + 8 + 1 + 4 + len(name)
            file.write(struct.pack("<IIBQBI", 0x70, size, 0x2A, values.nbytes, 0x2A, len(name) // 2) + name)
            file.write(values.tobytes())
    return path


def _element(number, name, values):
    times, channels, rows, columns = values.shape
    described = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="8" NameOfMeasuredQuantity="" Min="0" Max="255" '
        f'Unit="" LUTName="Gray" IsLUTInverted="0" BytesInc="{channel * rows * columns}" BitInc="0"/>'
        for channel in range(channels)
    )
    lengths = (("X", columns, 1), ("Y", rows, columns), ("T", times, channels * rows * columns))
    dimensions = "".join(
        f'<DimensionDescription DimID="{_BYTES_OF_DIMENSION[letter]}" NumberOfElements="{length}" Origin="0" '
        f'Length="{length - 1}" Unit="{"s" if letter == "T" else "m"}" BitInc="0" BytesInc="{step}"/>'
        for letter, length, step in lengths
    )
    return (
        f'<Element Name="{name}" Visibility="1" CopyOption="1" UniqueID="u{number}"><Data><Image TextDescription="">'
        f"<ImageDescription><Channels>{described}</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription>"
        f'</Image></Data><Memory Size="{values.nbytes}" MemoryBlockID="MemBlock_{number}"/></Element>'
    )
