/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest guest: firmware that lists the PCI functions of bus 0 on the serial port, from the
 * machine's reset on, and then sleeps. It needs no kernel and no acceleration, so that a test can
 * start hundreds of VMs. Must not touch a device but by its configuration space.
 *
 * Prints "L2 PCI vvvv:dddd class=cccccc" for each function, then "L2 READY".
 */
	.code16
	.text

	.set	SERIAL, 0x3f8		/* transmitter of COM1 */
	.set	CONFIG_ADDRESS, 0xcf8	/* PCI configuration mechanism 1: PCI 3.0, 3.2.2.3.2 */
	.set	CONFIG_DATA, 0xcfc
	.set	CONFIG_ENABLE, 0x80000000

start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ss
	movw	$0x7000, %sp
	xorw	%bx, %bx		/* %bl: device and function */

each_function:
	xorb	%cl, %cl
	call	read_config		/* device id in the upper half, vendor in the lower */
	cmpw	$0xffff, %ax
	je	next_function
	movl	%eax, %edi
	movw	$text_function, %si
	call	print
	movl	%edi, %eax
	movb	$4, %ch
	shll	$16, %eax
	call	print_hex		/* vendor */
	movw	$text_colon, %si
	call	print
	movl	%edi, %eax
	movb	$4, %ch
	call	print_hex		/* device */
	movw	$text_class, %si
	call	print
	movb	$8, %cl
	call	read_config		/* class code above the revision */
	movb	$6, %ch
	call	print_hex
	movw	$text_end, %si
	call	print
next_function:
	incb	%bl
	jnz	each_function

	movw	$text_ready, %si
	call	print
sleep:
	hlt
	jmp	sleep

/* %eax = register %cl of function %bl on bus 0; %dx is lost */
read_config:
	movzbl	%bl, %eax
	shll	$8, %eax
	movb	%cl, %al
	orl	$CONFIG_ENABLE, %eax
	movw	$CONFIG_ADDRESS, %dx
	outl	%eax, %dx
	movw	$CONFIG_DATA, %dx
	inl	%dx, %eax
	ret

/* Prints the %ch topmost hexadecimal digits of %eax; %eax, %ch, %dx and %ebp are lost. */
print_hex:
	movl	%eax, %ebp
each_digit:
	roll	$4, %ebp
	movl	%ebp, %eax
	andb	$0xf, %al
	cmpb	$10, %al
	jb	decimal
	addb	$'a' - 10 - '0', %al
decimal:
	addb	$'0', %al
	movw	$SERIAL, %dx
	outb	%al, %dx
	decb	%ch
	jnz	each_digit
	ret

/* Prints the text at %si, which lies in this ROM; %al, %dx and %si are lost. */
print:
	movw	$SERIAL, %dx
	lodsb	%cs:(%si), %al
	testb	%al, %al
	jz	printed
	outb	%al, %dx
	jmp	print
printed:
	ret

text_function:	.asciz	"L2 PCI "
text_colon:	.asciz	":"
text_class:	.asciz	" class="
text_end:	.asciz	"\n"
text_ready:	.asciz	"L2 READY\n"

	/* The processor's first instruction: Intel SDM 3A, 9.1.4. */
	.org	0xfff0
	jmp	start
	.org	0x10000
