// Loaded into the processes that a command starts, such as the server of `millrace serve`: when the command dies without a
// chance to pass a signal on, as by kill -9, they stop in good order too, instead of running on unseen.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// Waiting for that must not keep a process alive once it has stopped by itself.
process.channel?.unref();
