/// Includes BODY for float and for double, with
/// - T(name), a name of this element type's own, REAL and VECTOR, the types, and LANES;
/// - PARTS, the vectors of double that a VECTOR becomes, WIDEN(x, part), and NARROW(parts) back.
#define T(name) name##_f32
#define REAL float
#define VECTOR f32v
#define INTEGERS i32v
#define LANES CK_F32_LANES
#define PARTS 2
#define WIDEN(x, part) ((part) ? high_f64(x) : low_f64(x))
#define NARROW(parts) narrow_f32(parts[0], parts[1])
#include BODY
#undef T
#undef REAL
#undef VECTOR
#undef INTEGERS
#undef LANES
#undef PARTS
#undef WIDEN
#undef NARROW

#define T(name) name##_f64
#define REAL double
#define VECTOR f64v
#define INTEGERS i64v
#define LANES CK_F64_LANES
#define PARTS 1
#define WIDEN(x, part) (x)
#define NARROW(parts) (parts[0])
#include BODY
