// Loaded into the server that `millrace serve` starts: when the command dies without a chance to pass a signal on, as by
// kill -9, the server stops in good order too, instead of running on unseen.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// Waiting for that must not keep the server alive once it has stopped by itself.
process.channel?.unref();
