// The first process of the time-travel machine (static: there is nothing yet that it could load). It lays a
// copy-on-write layer over the host's files, mounts what programs expect, runs the command, leaves its exit status,
// and turns the machine off. tests/vm/machine.py starts it and says by the kernel's command line:
//
//   vm.share=DIR    the host's directory for both: DIR/command is run by bash, DIR/status gets its exit status
//   vm.write=DIR    another one that is writable inside (may be repeated); all else of the host's files that
//                   is written inside is forgotten
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ROOT "/mnt/root"

static void complain(const char *doing, const char *what) {
  fprintf(stderr, "vm: %s %s: %s\n", doing, what, strerror(errno));
}

static void put_in_place(const char *source, const char *place, const char *kind, const char *options) {
  char path[4096];
  snprintf(path, sizeof path, "%s", place);
  for (char *at = path + 1; *at; ++at) {
    if (*at != '/') continue;
    *at = 0;
    mkdir(path, 0755);
    *at = '/';
  }
  mkdir(path, 0755);
  if (mount(source, place, kind, 0, options) != 0) complain("mounting", place);
}

static void share(const char *directory) {
  char place[4096];
  snprintf(place, sizeof place, ROOT "%s", directory);
  put_in_place("none", place, "hostfs", directory);
}

static void make_root(char *command_line, char *shared, size_t size) {
  put_in_place("memory", "/mnt", "tmpfs", "mode=755");
  mkdir("/mnt/upper", 0755);
  mkdir("/mnt/work", 0755);
  put_in_place("overlay", ROOT, "overlay", "lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work");
  umount2("/proc", MNT_DETACH);
  put_in_place("proc", ROOT "/proc", "proc", NULL);
  put_in_place("sysfs", ROOT "/sys", "sysfs", NULL);
  put_in_place("devices", ROOT "/dev", "devtmpfs", NULL);
  put_in_place("terminals", ROOT "/dev/pts", "devpts", "ptmxmode=666");
  put_in_place("memory", ROOT "/dev/shm", "tmpfs", NULL);
  put_in_place("memory", ROOT "/run", "tmpfs", "mode=755");
  put_in_place("groups", ROOT "/sys/fs/cgroup", "cgroup2", NULL);
  for (char *word = strtok(command_line, " \n"); word; word = strtok(NULL, " \n")) {
    if (strncmp(word, "vm.write=", 9) == 0) share(word + 9);
    if (strncmp(word, "vm.share=", 9) != 0) continue;
    share(word + 9);
    snprintf(shared, size, "%s", word + 9);
  }
  mkdir(ROOT "/.before", 0755);
  if (chdir(ROOT) != 0 || syscall(SYS_pivot_root, ".", ".before") != 0 || chroot(".") != 0 || chdir("/") != 0)
    complain("changing to", ROOT);
  mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  umount2("/.before", MNT_DETACH);
}

static void bring_loopback_up(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  const int any = socket(AF_INET, SOCK_DGRAM, 0);
  if (ioctl(any, SIOCSIFFLAGS, &request) != 0) complain("bringing up", "lo");
  close(any);
}

// A terminal that passes bytes on as they are.
static int open_raw(const char *path) {
  struct termios settings;
  const int terminal = open(path, O_RDWR | O_NOCTTY);
  if (terminal >= 0 && tcgetattr(terminal, &settings) == 0) {
    cfmakeraw(&settings);
    tcsetattr(terminal, TCSANOW, &settings);
  }
  return terminal;
}

static void write_status(const char *shared, int status) {
  char path[4096], text[32];
  snprintf(path, sizeof path, "%s/status", shared);
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int size =
      snprintf(text, sizeof text, "%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  if (file < 0 || write(file, text, (size_t)size) < 0 || fsync(file) != 0) complain("writing", path);
}

int main(void) {
  char command_line[8192] = "", shared[4096] = "", command[4200];
  mount("proc", "/proc", "proc", 0, NULL);
  int file = open("/proc/cmdline", O_RDONLY);
  if (file < 0 || read(file, command_line, sizeof command_line - 1) < 0) complain("reading", "/proc/cmdline");
  close(file);
  make_root(command_line, shared, sizeof shared);
  bring_loopback_up();
  if (sethostname("vm", 2) != 0) complain("naming", "the machine");
  clearenv();
  setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  setenv("HOME", "/root", 1);
  setenv("LANG", "C.UTF-8", 1);
  setenv("TERM", "dumb", 1);
  snprintf(command, sizeof command, "%s/command", shared);

  const int output = open_raw("/dev/tty1"), errors = open_raw("/dev/tty2");
  const pid_t pid = fork();
  if (pid == 0) {
    setsid();
    dup2(open("/dev/null", O_RDWR), 0);
    dup2(output, 1);
    dup2(errors, 2);
    for (int each = 3; each < 32; ++each) close(each);
    execl("/bin/bash", "bash", command, NULL);
    _exit(127);
  }
  int status = 0;
  pid_t ended;
  while ((ended = waitpid(-1, &status, 0)) != pid && (ended > 0 || errno == EINTR)) {
  }
  tcdrain(output);
  tcdrain(errors);
  write_status(shared, status);
  reboot(RB_POWER_OFF);
  return 0;
}
