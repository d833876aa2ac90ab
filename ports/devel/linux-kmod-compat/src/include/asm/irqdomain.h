/* SPDX-License-Identifier: BSD-2-Clause */
/* Named in prototypes only. */
struct irq_domain;
struct irq_alloc_info;
struct device;
