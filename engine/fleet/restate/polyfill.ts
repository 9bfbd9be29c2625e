/** The SDK needs `Promise.withResolvers`, which Node 20 does not have. Imported before the SDK. */
interface Resolvers {
  promise: Promise<unknown>;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}
const builtin = Promise as unknown as { withResolvers?: () => Resolvers };

builtin.withResolvers ??= () => {
  const resolvers: Partial<Resolvers> = {};
  resolvers.promise = new Promise((resolve, reject) => Object.assign(resolvers, { resolve, reject }));
  return resolvers as Resolvers;
};
