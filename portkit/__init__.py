"""portkit: track upstream Linux KVM and QEMU, carry the FreeBSD patch series, write the ports."""

__version__ = "0.1.0"
