"""A FreeBSD machine in an emulator: what the module's tests and its maintainers run code in.

``cache`` keeps the kernels and the root image that the user imported, ``guest`` builds the small
programs that start and end the machine, ``qemu`` and ``bochs`` describe it to an emulator,
``exchange`` carries the command in and its results out, ``console`` understands what the kernel
prints, and ``run`` puts them together.
"""
