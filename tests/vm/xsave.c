// Makes User Mode Linux run on processors with a large register file (AMX and the like): loaded into its kernel with
// LD_PRELOAD. On others it does nothing.
//
// The kernel of User Mode Linux 6.1 sets a process's registers with PTRACE_SETREGSET(NT_X86_XSTATE) and an area of
// the size that was usual when it was written. The host wants its own full size and answers EFAULT, and User Mode
// Linux panics at its first process. So: read the process's full area, lay the given one over its head, and write
// the full one back. The features beyond the given area keep their state.
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { get_register_set = 0x4204, set_register_set = 0x4205, extended_state = 0x202 };
enum { largest_area = 16384, features_at = 512, features_of_head = 0x3ff };

static long merge(long pid, const struct iovec *given) {
  // Static: User Mode Linux calls this on its small kernel stacks, and from one thread alone.
  static unsigned char full[largest_area] __attribute__((aligned(64)));
  struct iovec whole = {full, sizeof full};
  unsigned long present, wanted;
  if (syscall(SYS_ptrace, (long)get_register_set, pid, (long)extended_state, &whole) != 0) return -1;
  if (whole.iov_len <= given->iov_len) return -1;
  memcpy(&present, full + features_at, sizeof present);
  memcpy(full, given->iov_base, given->iov_len);
  memcpy(&wanted, full + features_at, sizeof wanted);
  wanted = (wanted & features_of_head) | (present & ~(unsigned long)features_of_head);
  memcpy(full + features_at, &wanted, sizeof wanted);
  return syscall(SYS_ptrace, (long)set_register_set, pid, (long)extended_state, &whole) == 0 ? 1 : -1;
}

long ptrace(enum __ptrace_request request, ...) {
  va_list arguments;
  va_start(arguments, request);
  const long pid = va_arg(arguments, int);
  void *address = va_arg(arguments, void *);
  void *data = va_arg(arguments, void *);
  va_end(arguments);
  const long number = (long)(int)request;
  if (number >= PTRACE_PEEKTEXT && number <= PTRACE_PEEKUSER) {  // the raw call gives the word by pointer
    long word = 0;
    if (syscall(SYS_ptrace, number, pid, address, &word) < 0) return -1;
    errno = 0;
    return word;
  }
  if (number == set_register_set && (long)address == extended_state && merge(pid, data) == 1) return 0;
  return syscall(SYS_ptrace, number, pid, address, data);
}
