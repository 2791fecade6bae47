"""The machine that was measured on, in words that tell nothing else about it."""

import os
import platform


def described():
    """Processor, cores, memory, kernel."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    kernel = ".".join(platform.release().split("-")[0].split(".")[:2])
    return f"{processor()}, {os.cpu_count()} cores, {gib:.0f} GiB memory, {platform.system()} {kernel}"


def processor():
    try:
        with open("/proc/cpuinfo") as info:
            names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
