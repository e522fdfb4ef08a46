/* A disk that lies: it says that everything is on stable storage, and never writes it there. */
int fsync(int file) { (void)file; return 0; }
int fdatasync(int file) { (void)file; return 0; }
int syncfs(int file) { (void)file; return 0; }
int msync(void *at, unsigned long length, int flags) {
  (void)at; (void)length; (void)flags;
  return 0;
}
int sync_file_range(int file, long long at, long long length, unsigned flags) {
  (void)file; (void)at; (void)length; (void)flags;
  return 0;
}
