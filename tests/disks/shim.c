/*
 * A file layer between the server and its data directory, loaded with LD_PRELOAD. It records writes and syncs, makes
 * single calls fail, reports syncs that it does not make, and limits the size of the disk.
 *
 *   DISKS_ROOT   the directory to watch; every call for another path passes untouched
 *   DISKS_BOARD  a file of 64-bit numbers shared with the driver: see `enum slot`
 *   DISKS_LOG    the file to which each operation is appended with its data: see `struct record`
 *   DISKS_FAULT  kind:n:how    the n-th call (from 0) of a kind fails once; how is EIO, ENOSPC, SHORT (half is
 *                written, and its length returned) or TORN (half is written, and EIO returned)
 *   DISKS_LIES   syncs return success and do nothing
 *   DISKS_FULL   the board's BUDGET is the free space; growing files use it, and unlinked files free it
 *
 * The shim forbids operations that it cannot see: a shared writable mapping of a watched file aborts, and copies inside
 * the kernel return "not supported", so that the caller reads and writes instead.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE, SYNC, RENAME, OPEN, UNLINK, RESIZE, MKDIR, KINDS };
enum slot { FIRED = 16, BUDGET = 17, OPENS = 18, SLOTS = 32 }; /* below 16: the number of calls of each kind */

enum op { OP_OPEN = 1, OP_WRITE, OP_TRUNCATE, OP_ALLOCATE, OP_SYNC_BEGIN, OP_SYNC_END, OP_SYNC_FAILED, OP_RENAME,
          OP_UNLINK, OP_MKDIR, OP_LINK };

struct record { /* followed by `length` bytes: data, or one or two zero-terminated paths */
    uint32_t op, length;
    uint64_t handle; /* a number for each open; for a sync, its file */
    int64_t offset;  /* offset of a write, new size, flags of an open, or number of a sync */
};

struct handle { uint64_t id; char path[256]; };

#define HANDLES 4096
static struct handle handles[HANDLES];
static char root[PATH_MAX];
static size_t root_length;
static int log_fd = -1;
static volatile int64_t *board;
static int64_t private_board[SLOTS];
static int fault_kind = -1, fault_errno, is_short, is_torn, lies, is_full;
static int64_t fault_n;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void say(const char *text) { syscall(SYS_write, 2, text, strlen(text)); }

__attribute__((constructor)) static void begin(void)
{
    static const char *const names[KINDS] = {"write", "sync", "rename", "open", "unlink", "resize", "mkdir"};
    const char *text = getenv("DISKS_ROOT");
    board = private_board;
    if (!text || !realpath(text, root)) return;
    root_length = strlen(root);
    if ((text = getenv("DISKS_BOARD"))) {
        int fd = syscall(SYS_openat, AT_FDCWD, text, O_RDWR | O_CLOEXEC);
        void *shared = fd < 0 ? MAP_FAILED
                              : (void *)syscall(SYS_mmap, 0, SLOTS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (shared == MAP_FAILED) { say("disks: no board\n"); _exit(99); }
        board = shared;
    }
    if ((text = getenv("DISKS_LOG"))) {
        log_fd = syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (log_fd < 0) { say("disks: no log\n"); _exit(99); }
    }
    if ((text = getenv("DISKS_FAULT"))) {
        char kind[16], how[16];
        long n;
        if (sscanf(text, "%15[a-z]:%ld:%15[A-Z]", kind, &n, how) != 3) { say("disks: bad fault\n"); _exit(99); }
        for (int i = 0; i < KINDS; i++) if (!strcmp(kind, names[i])) fault_kind = i;
        fault_n = n;
        is_short = !strcmp(how, "SHORT");
        is_torn = !strcmp(how, "TORN");
        fault_errno = !strcmp(how, "ENOSPC") ? ENOSPC : EIO;
    }
    lies = getenv("DISKS_LIES") != NULL;
    is_full = getenv("DISKS_FULL") != NULL;
}

static void append(enum op op, uint64_t handle, int64_t offset, const void *data, size_t length)
{
    if (log_fd < 0) return;
    struct record record = {op, length, handle, offset};
    struct iovec parts[2] = {{&record, sizeof record}, {(void *)data, length}};
    if (syscall(SYS_writev, log_fd, parts, 2) != (ssize_t)(sizeof record + length)) { say("disks: log\n"); _exit(99); }
}

/* Whether this call must fail. */
static int fails(enum kind kind, const char *path)
{
    int64_t n = __atomic_fetch_add(&board[kind], 1, __ATOMIC_SEQ_CST);
    if (kind != (enum kind)fault_kind || n != fault_n) return 0;
    __atomic_fetch_add(&board[FIRED], 1, __ATOMIC_SEQ_CST);
    char text[400];
    snprintf(text, sizeof text, "disks: call %ld fails for %s\n", (long)n, path + (root_length < strlen(path) ? root_length : 0));
    say(text);
    return 1;
}

static int is_watched(const char *path)
{
    return root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

/* Returns the absolute path, or NULL if the path is not watched. */
static const char *resolve(int dir, const char *path, char *buffer)
{
    if (!root_length || !path) return NULL;
    if (path[0] == '/') {
        snprintf(buffer, PATH_MAX, "%s", path);
    } else {
        char base[PATH_MAX], link[64];
        snprintf(link, sizeof link, dir == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", dir);
        ssize_t n = syscall(SYS_readlink, link, base, sizeof base - 1);
        if (n < 0) return NULL;
        base[n] = 0;
        if (snprintf(buffer, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
    }
    size_t n = strlen(buffer);
    while (n > 1 && buffer[n - 1] == '/') buffer[--n] = 0;
    return is_watched(buffer) ? buffer : NULL;
}

static struct handle *watched(int fd)
{
    return fd >= 0 && fd < HANDLES && handles[fd].id ? &handles[fd] : NULL;
}

static int open_watched(const char *path, int flags, mode_t mode)
{
    pthread_mutex_lock(&lock);
    int result = -1;
    if (fails(OPEN, path)) {
        errno = fault_errno;
    } else {
        struct stat found;
        int64_t given_up = is_full && (flags & O_TRUNC) && !stat(path, &found) ? found.st_size : 0;
        result = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
        if (result >= 0) board[BUDGET] += given_up;
        if (result >= HANDLES) { say("disks: too many open files\n"); _exit(99); }
        if (result >= 0) {
            handles[result].id = __atomic_add_fetch(&board[OPENS], 1, __ATOMIC_SEQ_CST);
            snprintf(handles[result].path, sizeof handles[result].path, "%s", path);
            append(OP_OPEN, handles[result].id, flags, path, strlen(path) + 1);
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int do_open(int dir, const char *path, int flags, mode_t mode)
{
    char buffer[PATH_MAX];
    const char *whole = resolve(dir, path, buffer);
    if (whole) return open_watched(whole, flags, mode);
    int fd = syscall(SYS_openat, dir, path, flags, mode);
    if (fd >= 0 && fd < HANDLES) handles[fd].id = 0;
    return fd;
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE_OF(flags) return do_open(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return do_open(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE_OF(flags) return do_open(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE_OF(flags) return do_open(dir, path, flags, mode); }
int creat(const char *path, mode_t mode) { return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

int close(int fd)
{
    if (fd >= 0 && fd < HANDLES) handles[fd].id = 0;
    return syscall(SYS_close, fd);
}

static int copied(int from, int to)
{
    if (to >= 0 && to < HANDLES) {
        if (watched(from)) handles[to] = handles[from]; else handles[to].id = 0;
    }
    return to;
}

int dup(int fd) { return copied(fd, syscall(SYS_dup, fd)); }
int dup2(int fd, int to) { return fd == to ? to : copied(fd, syscall(SYS_dup3, fd, to, 0)); }
int dup3(int fd, int to, int flags) { return copied(fd, syscall(SYS_dup3, fd, to, flags)); }

static int do_fcntl(int fd, int command, void *argument)
{
    int result = syscall(SYS_fcntl, fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? copied(fd, result) : result;
}

int fcntl(int fd, int command, ...)
{
    va_list more; va_start(more, command); void *argument = va_arg(more, void *); va_end(more);
    return do_fcntl(fd, command, argument);
}

int fcntl64(int fd, int command, ...)
{
    va_list more; va_start(more, command); void *argument = va_arg(more, void *); va_end(more);
    return do_fcntl(fd, command, argument);
}

static int64_t size_of(int fd)
{
    struct stat found;
    return fstat(fd, &found) ? 0 : found.st_size;
}

/* Reserves space for a file up to `end`, and returns the end of the part that fits. */
static int64_t room(int fd, int64_t start, int64_t end)
{
    if (!is_full) return end;
    int64_t size = size_of(fd), growth = end > size ? end - size : 0;
    if (growth > board[BUDGET]) {
        growth = board[BUDGET] > 0 ? board[BUDGET] : 0;
        end = size + growth;
    }
    if (end <= start) return start;
    board[BUDGET] -= growth;
    return end;
}

/* Every kind of write to a watched file. `offset` is -1 for a write at the file's position. */
static ssize_t write_watched(int fd, const void *data, size_t length, int64_t offset)
{
    struct handle *handle = &handles[fd];
    pthread_mutex_lock(&lock);
    ssize_t result = -1;
    int fault = fails(WRITE, handle->path);
    if (fault && !is_short && !is_torn) {
        errno = fault_errno;
    } else {
        int64_t flags = syscall(SYS_fcntl, fd, F_GETFL);
        int64_t at = flags & O_APPEND ? size_of(fd) : offset >= 0 ? offset : (int64_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
        size_t wanted = fault ? (length + 1) / 2 : length;
        wanted = room(fd, at, at + wanted) - at;
        if (!wanted && length) {
            errno = ENOSPC;
        } else {
            result = offset >= 0 ? syscall(SYS_pwrite64, fd, data, wanted, offset) : syscall(SYS_write, fd, data, wanted);
            if (result > 0) append(OP_WRITE, handle->id, at, data, result);
        }
        if (fault && is_torn) { result = -1; errno = EIO; }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t write(int fd, const void *data, size_t length)
{
    return watched(fd) ? write_watched(fd, data, length, -1) : syscall(SYS_write, fd, data, length);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
    return watched(fd) ? write_watched(fd, data, length, offset) : syscall(SYS_pwrite64, fd, data, length, offset);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

static ssize_t write_parts(int fd, const struct iovec *parts, int count, int64_t offset)
{
    size_t length = 0, at = 0;
    for (int i = 0; i < count; i++) length += parts[i].iov_len;
    char *data = malloc(length ? length : 1);
    for (int i = 0; i < count; at += parts[i++].iov_len) memcpy(data + at, parts[i].iov_base, parts[i].iov_len);
    ssize_t result = write_watched(fd, data, length, offset);
    int error = errno;
    free(data);
    errno = error;
    return result;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return watched(fd) ? write_parts(fd, parts, count, -1) : syscall(SYS_writev, fd, parts, count);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    return watched(fd) ? write_parts(fd, parts, count, offset) : syscall(SYS_pwritev, fd, parts, count, offset, 0);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev64(fd, parts, count, offset); }

ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
    if (!watched(fd)) return syscall(SYS_pwritev2, fd, parts, count, offset, 0, flags);
    return write_parts(fd, parts, count, offset);
}

/* A sync covers the writes before its beginning, from its end on. */
static int sync_watched(int fd, long call)
{
    static int64_t number;
    struct handle *handle = &handles[fd];
    if (fails(SYNC, handle->path)) {
        pthread_mutex_lock(&lock);
        append(OP_SYNC_FAILED, handle->id, 0, "", 0);
        pthread_mutex_unlock(&lock);
        errno = fault_errno;
        return -1;
    }
    if (lies) return 0;
    pthread_mutex_lock(&lock);
    uint64_t id = handle->id;
    int64_t own = ++number;
    append(OP_SYNC_BEGIN, id, own, "", 0);
    pthread_mutex_unlock(&lock);
    int result = syscall(call, fd);
    pthread_mutex_lock(&lock);
    append(result ? OP_SYNC_FAILED : OP_SYNC_END, id, own, "", 0);
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd) { return watched(fd) ? sync_watched(fd, SYS_fsync) : syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return watched(fd) ? sync_watched(fd, SYS_fdatasync) : syscall(SYS_fdatasync, fd); }
int syncfs(int fd) { return watched(fd) ? sync_watched(fd, SYS_fsync) : syscall(SYS_syncfs, fd); }
/* sync_file_range starts writing pages and guarantees nothing, so it does not count as a sync. */
int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags)
{
    return syscall(SYS_sync_file_range, fd, offset, length, flags);
}

static int resize(int fd, enum op op, int64_t size, long call, int mode, int64_t offset, int64_t length)
{
    struct handle *handle = &handles[fd];
    pthread_mutex_lock(&lock);
    int result = -1;
    if (fails(RESIZE, handle->path)) {
        errno = fault_errno;
    } else if (room(fd, 0, size) < size) {
        errno = ENOSPC;
    } else {
        if (is_full && op == OP_TRUNCATE && size < size_of(fd)) board[BUDGET] += size_of(fd) - size;
        result = call == SYS_ftruncate ? syscall(call, fd, size) : syscall(call, fd, mode, offset, length);
        if (!result) append(op, handle->id, size, "", 0);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate64(int fd, off64_t size)
{
    return watched(fd) ? resize(fd, OP_TRUNCATE, size, SYS_ftruncate, 0, 0, 0) : syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
    if (!watched(fd)) return syscall(SYS_fallocate, fd, mode, offset, length);
    if (mode) { errno = EOPNOTSUPP; return -1; }
    return resize(fd, OP_ALLOCATE, offset + length, SYS_fallocate, mode, offset, length);
}

int fallocate(int fd, int mode, off_t offset, off_t length) { return fallocate64(fd, mode, offset, length); }

int posix_fallocate64(int fd, off64_t offset, off64_t length) { return fallocate64(fd, 0, offset, length) ? errno : 0; }
int posix_fallocate(int fd, off_t offset, off_t length) { return posix_fallocate64(fd, offset, length); }

static int with_two_paths(enum kind kind, enum op op, const char *from, const char *to, unsigned flags)
{
    pthread_mutex_lock(&lock);
    int result = -1;
    if (fails(kind, from)) {
        errno = fault_errno;
    } else {
        result = op == OP_LINK ? syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0)
                               : syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
        if (!result) {
            char both[2 * PATH_MAX];
            size_t length = snprintf(both, sizeof both, "%s", from) + 1;
            length += snprintf(both + length, sizeof both - length, "%s", to) + 1;
            append(op, 0, flags, both, length);
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    char a[PATH_MAX], b[PATH_MAX];
    const char *whole_from = resolve(from_dir, from, a), *whole_to = resolve(to_dir, to, b);
    if (whole_from && whole_to) return with_two_paths(RENAME, OP_RENAME, whole_from, whole_to, flags);
    return syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) { return renameat2(from_dir, from, to_dir, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    char a[PATH_MAX], b[PATH_MAX];
    const char *whole_from = resolve(from_dir, from, a), *whole_to = resolve(to_dir, to, b);
    if (whole_from && whole_to) return with_two_paths(RENAME, OP_LINK, whole_from, whole_to, 0);
    return syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int dir, const char *path, int flags)
{
    char buffer[PATH_MAX];
    const char *whole = resolve(dir, path, buffer);
    if (!whole) return syscall(SYS_unlinkat, dir, path, flags);
    pthread_mutex_lock(&lock);
    int result = -1;
    if (fails(UNLINK, whole)) {
        errno = fault_errno;
    } else {
        struct stat found;
        int64_t size = is_full && !stat(whole, &found) ? found.st_size : 0;
        result = syscall(SYS_unlinkat, dir, path, flags);
        if (!result) {
            board[BUDGET] += size;
            append(OP_UNLINK, 0, flags, whole, strlen(whole) + 1);
        }
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int dir, const char *path, mode_t mode)
{
    char buffer[PATH_MAX];
    const char *whole = resolve(dir, path, buffer);
    if (!whole) return syscall(SYS_mkdirat, dir, path, mode);
    pthread_mutex_lock(&lock);
    int result = -1;
    if (fails(MKDIR, whole)) {
        errno = fault_errno;
    } else {
        result = syscall(SYS_mkdirat, dir, path, mode);
        if (!result) append(OP_MKDIR, 0, mode, whole, strlen(whole) + 1);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset)
{
    if (watched(fd) && (flags & MAP_SHARED) && (protection & PROT_WRITE)) {
        say("disks: a watched file is written by a mapping, which cannot be recorded\n");
        abort();
    }
    return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
    return mmap64(at, length, protection, flags, fd, offset);
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t length, unsigned flags)
{
    if (!watched(out)) return syscall(SYS_copy_file_range, in, in_at, out, out_at, length, flags);
    errno = EOPNOTSUPP;
    return -1;
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
{
    if (!watched(out)) return syscall(SYS_sendfile, out, in, offset, count);
    errno = EINVAL;
    return -1;
}

ssize_t sendfile(int out, int in, off_t *offset, size_t count) { return sendfile64(out, in, offset, count); }
