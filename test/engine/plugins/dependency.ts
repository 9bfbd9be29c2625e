/** The files of a package in a plugin's node_modules. */
export const dependency = (name: string, dependencies = {}) => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.0.0', dependencies }),
  [`node_modules/${name}/index.js`]: `export default '${name}';`,
});
