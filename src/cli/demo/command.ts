import type { Command } from 'commander';

export const addDemo = (demo: Command): void => {
  demo
    .option('--once', 'end after the requests; exit status 0 only if everything came as expected')
    .action(async ({ once }: { once?: boolean }) => {
      const { playDemo } = await import('./demo.ts');
      await playDemo(once ?? false);
    });
};
