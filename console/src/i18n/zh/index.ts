export { broadcasts } from "./broadcasts";
export { card } from "./card";
export { common } from "./common";
export { conversation } from "./conversation";
export { problems } from "./problems";
export { shell } from "./shell";
export { tags } from "./tags";
