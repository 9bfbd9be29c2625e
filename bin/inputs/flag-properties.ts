/** Which properties of a schema have flags. */
import type { Schema } from '../../engine/sdk/index.ts';

export interface FlagProperty {
  name: string;
  property: Schema;
  /** The mapping that this property belongs to, if it is not an input itself. */
  mapping?: string;
}

/** A mapping marked `x-flags` has one flag for each of its properties. */
export const flagProperties = ({ properties = {} }: Schema): FlagProperty[] =>
  Object.entries(properties).flatMap(([name, property]) =>
    property['x-flags'] === true
      ? Object.entries(property.properties ?? {}).map(([inner, schema]) => ({
          name: inner,
          property: schema,
          mapping: name,
        }))
      : [{ name, property }],
  );
