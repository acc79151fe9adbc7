/**
 * smtp-server without its wait. It holds its greeting back 100 ms, to catch clients that talk first,
 * and has no option for it; ours are known machines, and a relay that sends one mail per connection
 * would be held to ten a second on each. A connection is told at once that it is ready, and is greeted
 * only once.
 */
import { SMTPServer } from "smtp-server";

export class PromptSmtpServer extends SMTPServer {
  override connect(...args: Parameters<SMTPServer["connect"]>): void {
    const before = this.connections.size;
    super.connect(...args);
    // The set keeps its order: the newest is last.
    const connection = [...this.connections].at(-1);
    if (connection === undefined || this.connections.size === before) return;
    const ready = connection.connectionReady.bind(connection);
    let isGreeted = false;
    connection.connectionReady = (next) => {
      if (isGreeted) return;
      isGreeted = true;
      ready(next);
    };
    setImmediate(() => connection.connectionReady());
  }
}
