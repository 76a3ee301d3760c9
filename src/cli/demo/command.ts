import type { Command } from 'commander';

export const addDemo = (program: Command): void => {
  program
    .command('demo')
    .description(
      'show the main job: a feed that demands a client certificate, a source on disk, and what comes of a few requests',
    )
    .option('--once', 'end after the requests; exit status 0 only if everything came as expected')
    .action(async ({ once }: { once?: boolean }) => {
      // Making certificates takes libraries that no other command needs: they are loaded only here.
      const { playDemo } = await import('./demo.ts');
      await playDemo(once ?? false);
    });
};
