/* Counts the calls by which something on the disk becomes durable or visible, over all threads, and
   kills the process just before or just after one of them.

   STEPS_BEGIN  the file whose being there begins the count
   STEPS_TOLD   the file that gets a line for each step
   STEPS_AT     the number of the step at which the process ends, from 1 on; 0 for none
   STEPS_AFTER  1 to let that step happen, 0 to end before it */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long steps;
static atomic_int is_counting;
static const char *begin;
static long last;
static int is_after;
static int told = -1;

static long number(const char *name) {
  const char *text = getenv(name);
  return text ? atol(text) : 0;
}

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("STEPS_TOLD");
  begin = getenv("STEPS_BEGIN");
  last = number("STEPS_AT");
  is_after = number("STEPS_AFTER") == 1;
  if (path) {
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    told = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
  }
}

static void end(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* Notes a step. Whether the process must end after it; it may end here. */
static int step(const char *name, int file, const char *path) {
  char place[512] = "", line[640], link[32];
  long at;
  int length;
  if (!begin) return 0;
  if (!atomic_load(&is_counting)) {
    if (syscall(SYS_faccessat, AT_FDCWD, begin, F_OK) != 0) return 0;
    atomic_store(&is_counting, 1);
  }
  at = atomic_fetch_add(&steps, 1) + 1;
  if (last != 0 && at > last) {
    /* Another thread is just ending the process, after its step: nothing happens behind it. */
    for (;;) pause();
  }
  if (!path) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if (readlink(link, place, sizeof place - 1) < 0) place[0] = 0;
    path = place;
  }
  length = snprintf(line, sizeof line, "%ld %s %s\n", at, name, path);
  if (told >= 0 && syscall(SYS_write, told, line, (size_t)length) < 0) end();
  if (at == last && !is_after) end();
  return at == last;
}

/* The function of the C library of this name, which is a step. */
#define STEP(name, parameters, arguments, file, path)                  \
  int name parameters {                                                \
    static int(*real) parameters;                                      \
    int is_last, answer;                                               \
    if (!real) real = (int(*) parameters)dlsym(RTLD_NEXT, #name);      \
    is_last = step(#name, file, path);                                 \
    answer = real arguments;                                           \
    if (is_last) end();                                                \
    return answer;                                                     \
  }

STEP(fsync, (int file), (file), file, 0)
STEP(fdatasync, (int file), (file), file, 0)
STEP(sync_file_range, (int file, off64_t at, off64_t length, unsigned flags),
     (file, at, length, flags), file, 0)
STEP(ftruncate, (int file, off_t length), (file, length), file, 0)
STEP(ftruncate64, (int file, off64_t length), (file, length), file, 0)
STEP(rename, (const char *from, const char *to), (from, to), -1, to)
STEP(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), -1, to)
STEP(renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
     (a, from, b, to, flags), -1, to)
STEP(unlink, (const char *path), (path), -1, path)
STEP(unlinkat, (int folder, const char *path, int flags), (folder, path, flags), -1, path)
STEP(link, (const char *from, const char *to), (from, to), -1, to)
STEP(linkat, (int a, const char *from, int b, const char *to, int flags),
     (a, from, b, to, flags), -1, to)

/* To open a file is a step when it may make one. */
#define OPEN(name, parameters, arguments, path)                        \
  int name parameters {                                                \
    static int(*real) parameters;                                      \
    mode_t mode = 0;                                                   \
    int is_last = 0, answer;                                           \
    if (!real) real = (int(*) parameters)dlsym(RTLD_NEXT, #name);      \
    if (flags & O_CREAT) {                                             \
      va_list rest;                                                    \
      va_start(rest, flags);                                           \
      mode = va_arg(rest, mode_t);                                     \
      va_end(rest);                                                    \
      is_last = step(#name, -1, path);                                 \
    }                                                                  \
    answer = real arguments;                                           \
    if (is_last) end();                                                \
    return answer;                                                     \
  }

OPEN(open, (const char *path, int flags, ...), (path, flags, mode), path)
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode), path)
OPEN(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode), path)
OPEN(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode), path)
