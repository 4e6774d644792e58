/** Changes that can be taken back, and made again. */

export interface Step {
  back: () => void | Promise<void>;
  again: () => void | Promise<void>;
  /** What was changed, in words; "" where the page shows it anyway. */
  said: string;
}

export class History {
  private done: Step[] = [];
  private undone: Step[] = [];

  /** Remember a change that was made. */
  made(step: Step): void {
    this.done.push(step);
    this.undone = [];
  }

  async back(): Promise<void> {
    const step = this.done.pop();
    if (!step) return;
    this.undone.push(step);
    await step.back();
  }

  async again(): Promise<void> {
    const step = this.undone.pop();
    if (!step) return;
    this.done.push(step);
    await step.again();
  }

  clear(): void {
    this.done = this.undone = [];
  }

  get canBack(): boolean {
    return this.done.length > 0;
  }

  get canAgain(): boolean {
    return this.undone.length > 0;
  }

  /** What was changed last, in words. */
  get last(): string {
    return this.done[this.done.length - 1]?.said ?? "";
  }
}
