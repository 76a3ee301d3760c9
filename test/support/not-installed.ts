/** A module for `node --import` that makes all packages with such a name seem not to be installed. */
export const notInstalled = (beginning: string): string =>
  `data:text/javascript,${encodeURIComponent(
    `import { registerHooks } from 'node:module';
     registerHooks({
       resolve: (name, context, next) => {
         if (!name.startsWith('${beginning}')) return next(name, context);
         throw Object.assign(new Error(name), { code: 'ERR_MODULE_NOT_FOUND' });
       },
     });`,
  )}`;
