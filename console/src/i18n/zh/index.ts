export { broadcasts } from "./broadcasts";
export { common } from "./common";
export { jobs } from "./jobs";
export { problems } from "./problems";
export { shell } from "./shell";
export { sync } from "./sync";
export { tags } from "./tags";
