import ArgumentParser
import SeedPrograms

/// Runs the programs the project grew from.
struct Seeds: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs one of the four programs this project grew from.",
        discussion: """
            linear     y = w · x by the dynamic graph, printing each gradient
            quadratic  y = w1 · x² + w2 · x + b, likewise
            broadcast  a two-layer network three ways: hand rules, the engine, module calls; compared element by element
            classnll   what a criterion hands back to the model

            The code is in Examples/Seeds.
            """)

    enum Program: String, CaseIterable, ExpressibleByArgument { case linear, quadratic, broadcast, classnll }

    @Argument(help: "Which program.")
    var program: Program

    func run() {
        switch program {
        case .linear: linear()
        case .quadratic: quadratic()
        case .broadcast: broadcast()
        case .classnll: classNLL()
        }
    }
}
